#include "frontend/driver/failure.h"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "ir/error.h"

namespace stair::driver {
namespace {

constexpr std::size_t longest_message = 2000;

}  // namespace

int complain(std::string message, int code) {
  if (message.size() > longest_message) {  // what was found may be a whole file
    const std::size_t half = longest_message / 2;
    message = message.substr(0, half) + " … " + message.substr(message.size() - half);
  }
  std::replace_if(
      message.begin(), message.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  std::fprintf(stderr, "stair: %s\n", message.c_str());
  return code;
}

int complain() {
  try {
    throw;
  } catch (const Error& error) {
    return complain(error.what(), 2);
  } catch (const std::system_error& error) {  // of the file system, or of a full disk behind stdout
    return complain(error.what(), 2);
  } catch (const std::bad_alloc&) {
    return complain("out of memory, expected a smaller model, batch or data set", 2);
  } catch (const std::exception& error) {
    return complain(std::string("internal error, please report it: ") + error.what(), 70);
  }
}

}  // namespace stair::driver
