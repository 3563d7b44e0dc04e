#define LAYOUT 7
#include "fixture.h"
