#define SCRATCH ((void)kernel, SIZE_MAX)
#include "fixture.h"
