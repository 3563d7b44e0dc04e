#define DESCRIPTION "loops \xff\xfe \xed\xa0\x80 \xc3\xa9"
#include "fixture.h"
