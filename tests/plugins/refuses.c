#define ERROR_AT_LOAD "no device found"
#include "fixture.h"
