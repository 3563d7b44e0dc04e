#define TABLE NULL
#include "fixture.h"
