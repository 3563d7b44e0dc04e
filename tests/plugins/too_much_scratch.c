#define SCRATCH ((void)kernel, (size_t)1 << 40)
#include "fixture.h"
