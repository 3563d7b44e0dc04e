#define SIZE 16
#include "fixture.h"
