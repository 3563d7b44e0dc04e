// The main of every test program. STAIR_TEST_PLUGIN names a plug-in that is loaded first, so that the suite of ops runs on it, and what
// runs on all backends too.

#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>

#include "backends/plugin.h"
#include "ir/error.h"

int main(int argc, char** argv) {
  try {
    if (const char* plugin = std::getenv("STAIR_TEST_PLUGIN")) stair::backends::load_plugin(plugin);
  } catch (const stair::Error& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
  return doctest::Context(argc, argv).run();
}
