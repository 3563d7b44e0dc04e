#define KERNEL NULL
#include "fixture.h"
