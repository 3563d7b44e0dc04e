#include <cstdint>
#include <stdexcept>
#include <string>

#define NAME "piece_throws"
#define PIECE throwing_piece
static const char* throwing_piece(void*, std::int64_t first, std::int64_t, std::int32_t) {
  throw std::runtime_error("piece at " + std::to_string(first));
}
#include "parallel.h"
