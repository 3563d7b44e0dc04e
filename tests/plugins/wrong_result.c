#define OFFSET 1
#include "fixture.h"
