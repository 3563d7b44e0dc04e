#include "frontend/driver/main.h"

#include "frontend/driver/spinning.h"

int main(int argc, char** argv) {
  stair::driver::limit_spinning(argv);
  return stair::driver::run(argc, argv);
}
