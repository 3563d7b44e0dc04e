#pragma once

#include <exception>
#include <oneapi/dnnl/dnnl.hpp>
#include <string>

#include "one_thread.h"

/// Runs the body with oneDNN on one thread; its exceptions become the text that the C interface wants.
template <class Body>
const char* text_of_failure(Body body) {
  thread_local std::string text;
  const OneThread one;
  try {
    body();
    return nullptr;
  } catch (const dnnl::error& error) {
    text = error.status == dnnl_unimplemented ? "oneDNN has no primitive for it" : std::string("oneDNN: ") + error.what();
  } catch (const std::exception& error) {
    text = error.what();
  }
  return text.c_str();
}
