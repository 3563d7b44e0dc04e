#include <stdexcept>

#define RUN throwing_run
struct stair_kernel;
struct stair_arguments;
static const char* throwing_run(stair_kernel*, const stair_arguments*) {
  throw std::runtime_error("out of tiles");
}
#include "fixture.h"
