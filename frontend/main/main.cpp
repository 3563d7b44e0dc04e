#include "frontend/driver/main.h"

int main(int argc, char** argv) {
  return stair::driver::run(argc, argv);
}
