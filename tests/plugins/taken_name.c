#define NAME "reference"
#include "fixture.h"
