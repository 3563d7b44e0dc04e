#define DESCRIPTION NULL
#include "fixture.h"
