#define ERROR_AT_RUN "the device has gone"
#include "fixture.h"
