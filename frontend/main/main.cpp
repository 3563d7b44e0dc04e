#include "frontend/driver/main.h"

#include "frontend/driver/openmp_spin_limit.h"

int main(int argc, char** argv) {
  stair::driver::limit_spinning(argv);
  return stair::driver::run(argc, argv);
}
