#define ABI 99u
#include "fixture.h"
