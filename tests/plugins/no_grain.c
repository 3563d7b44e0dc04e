#define NAME "no_grain"
#define PIECE_GRAIN 0
#include "parallel.h"
