#include <doctest/doctest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "backends/backend.h"
#include "frontend/compile.h"
#include "tests/support/model_builder.h"
#include "tests/support/quantized_run.h"

// A program of its own, since it counts what every other one may do: memory asked of operator new.

namespace {

std::atomic<long> allocations{0};

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* memory = alignment > alignof(std::max_align_t) ? std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment)
                                                       : std::malloc(bytes == 0 ? 1 : bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) {
  return counted(bytes, 0);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(bytes == 0 ? 1 : bytes);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  std::free(memory);
}

using namespace stair;

TEST_CASE("what counts allocations sees them") {
  const long before = allocations;
  delete new int(1);
  CHECK(allocations > before);
}

TEST_CASE("inference on the int8 backend allocates nothing, whatever the instruction set") {
  for (const backends::Backend* backend : backends::every()) {
    if (!backend->channels_last()) continue;
    const std::string on(backend->name());
    CAPTURE(on);
    for (const ir::Graph& net : {tests::small_lenet(2), tests::small_mixed_net(2)}) {
      for (const char* recipe :
           {R"("int8")", R"({"requantization": "fixed_point"})", R"({"requantization": "power_of_two", "bias": "float32"})"}) {
        CAPTURE(std::string(recipe));
        tests::QuantizedRun run = tests::quantized_run(net, recipe, 1);
        runtime::Executor executor = frontend::executor_for(run.deployment.graph, run.deployment.constants, {{backend}, 2, 0});
        for (const auto& assignment : executor.assignments()) CHECK_MESSAGE(assignment.backend == on, assignment.node);
        const runtime::Tensor images = tests::random_images(executor.graph().type(executor.graph().inputs()[0]), 1);
        const ir::TensorView inputs[] = {images.view()};
        executor.run(inputs);
        const long before = allocations;
        executor.run(inputs);
        CHECK(allocations == before);
      }
    }
  }
}
