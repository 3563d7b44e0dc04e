#define RUN NULL
#include "fixture.h"
