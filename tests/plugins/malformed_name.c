#define NAME "My plug-in"
#include "fixture.h"
