#define ERROR_AT_PREPARE "the device's memory\nis full"
#include "fixture.h"
