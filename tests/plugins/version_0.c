#define ABI 0u
#include "fixture.h"
