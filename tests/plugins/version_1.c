/* Built against the header of version 1 as it was, in version_1/: the plug-in knows no other. */
#include "version_1/stair_plugin.h"

#define NAME "version_1"
#define ERROR_AT_LOAD (driver_abi == STAIR_PLUGIN_ABI ? NULL : "another version of stair_plugin.h")
#include "fixture.h"
