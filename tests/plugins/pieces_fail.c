#define NAME "pieces_fail"
#define PIECE some_fail
#include "parallel.h"
