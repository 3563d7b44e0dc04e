#ifndef STAIR_PLUGIN_H
#define STAIR_PLUGIN_H

/*
 * Staircase plug-ins: the C interface between the driver and a backend in a shared library (C99 or C++, no library to link).
 *
 * A plug-in defines one function, stair_plugin_load(), which hands over a table of functions. For every node of a graph the driver asks
 * supports(); where the answer is yes, prepare() makes a kernel, run() executes it any number of times, and destroy() ends it. What a
 * plug-in declines, other backends run, so that it may begin with one op.
 *
 *     stair backends --plugin ./libmine.so
 *
 * Errors. Every function that may fail returns NULL where all is well, else a text for the user: one line of UTF-8 that says what is the
 *   matter ("int32 sums may overflow"). The driver copies it before it calls the plug-in again from that thread; a literal will do. A
 *   failing prepare() or run() ends the command with that text. No C++ exception and no longjmp may leave a plug-in.
 * Ownership. What the driver passes belongs to the driver, what the plug-in returns belongs to the plug-in. Each comment says how long a
 *   pointer is good; where none does, for the duration of the call. Kernels alone change hands: prepare() creates, destroy() frees.
 * Threads. Functions without a kernel may be called from several threads at once. A kernel is used by one thread at a time, not always
 *   the same one; different kernels may run at the same time.
 * Floating point. A plug-in leaves rounding mode and the treatment of subnormals as it finds them: to nearest, none flushed to zero.
 * Results. Integers are those of the arithmetic contract (docs/numerics.md), bit for bit. Results, floats too, depend neither on the
 *   number of threads nor on earlier runs.
 * Versions. STAIR_PLUGIN_ABI changes with what would break a plug-in that is built already, and the driver refuses any other. Within a
 *   version, structs that begin with (or hold) struct_size may grow at their end: who fills one in writes its sizeof, who reads one looks
 *   at struct_size before members that are newer than the version. Reading or writing members of version 1 needs no check.
 *   Version 1 runs single nodes; groups of nodes as one kernel are what the table may grow by.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STAIR_PLUGIN_ABI 1u

/* Element types. Integers are two's complement; quantized ones of fewer than 8 bits lie in S8 or U8. F64 occurs in checks of the driver
 * only. */
enum { STAIR_ABSENT = 0, STAIR_F32 = 1, STAIR_F64 = 2, STAIR_S8 = 3, STAIR_U8 = 4, STAIR_I32 = 5, STAIR_I64 = 6 };

/* A tensor's element type and shape. Tensors are dense and row-major: the last dimension is contiguous. */
typedef struct stair_type {
  uint32_t element;    /* STAIR_F32…; STAIR_ABSENT: an optional operand that isn't there (rank 0, dims NULL) */
  uint32_t rank;       /* 0: a scalar, one element */
  const int64_t* dims; /* rank of them, outermost first */
} stair_type;

/* Kinds of attributes. */
enum { STAIR_BOOLEAN = 1, STAIR_INTEGER = 2, STAIR_NUMBER = 3, STAIR_TEXT = 4, STAIR_INTEGERS = 5, STAIR_NUMBERS = 6 };

typedef struct stair_attribute {
  const char* name;
  uint32_t kind; /* says which member of value is meant */
  size_t count;  /* INTEGERS, NUMBERS: elements of the list; else 1 */
  union {
    int64_t boolean; /* 0 or 1 */
    int64_t integer;
    double number;
    const char* text;
    const int64_t* integers;
    const double* numbers;
  } value;
} stair_attribute;

/*
 * A node: an op over tensors whose types are known. `stair backends` lists the ops; docs/adding-a-backend.md says where each one's
 * operands, results and attributes are written down. Attributes have all values, those left out by the user too.
 */
typedef struct stair_node {
  size_t struct_size;
  const char* op;   /* "conv2d" */
  const char* name; /* unique in its graph; for messages */
  size_t operand_count;
  const stair_type* operands;
  size_t result_count;
  const stair_type* results;
  size_t attribute_count;
  const stair_attribute* attributes; /* in the order of their names */
} stair_node;

/* What one execution works on. */
typedef struct stair_arguments {
  size_t struct_size;
  const void* const* operands; /* as many as the node has, of its types; NULL for an absent one */
  void* const* results;        /* written whole; what they hold before is undefined */
  void* scratch;               /* scratch_bytes() of memory, undefined before and after; NULL where that is 0 */
  int32_t threads;             /* as many as may be used, 1 or more */
} stair_arguments;
/*
 * All memory is aligned to 64 bytes. Results don't overlap operands, with one exception: in ops that work element by element (relu, lookup,
 * sgd_momentum) a result may be the very memory of the operand that it is a new value of.
 */

/* A node made ready to run. The struct is the plug-in's own; the driver sees pointers to it. */
typedef struct stair_kernel stair_kernel;

/* Layouts of images between integer layers that a backend may prefer. */
enum { STAIR_ANY_LAYOUT = 0, STAIR_NCHW = 1, STAIR_NHWC = 2 };

/* The backend. The table and its texts must stay as they are until the process ends. All members are required. */
typedef struct stair_plugin {
  uint32_t abi_version; /* STAIR_PLUGIN_ABI; the first member in every version */
  uint32_t layout;      /* STAIR_NHWC asks for integer convolutions and pools on [N,H,W,C] (attribute layout="nhwc"), STAIR_NCHW for
                           [N,C,H,W], STAIR_ANY_LAYOUT leaves it to the next backend. A wish: supports() looks at what the node has */
  size_t struct_size;   /* sizeof(stair_plugin) */
  const char* name;     /* a-z, 0-9, _ and -, beginning with a letter, at most 32; no other backend's */
  const char* summary;  /* one line for `stair backends` */

  /* Whether it runs nodes of the op at all: NULL, or why not. */
  const char* (*supports_op)(const char* op);
  /* Whether it runs this very node, with its types and attributes: NULL, or why not. Must always say the same of equal nodes. */
  const char* (*supports)(const stair_node* node);
  /*
   * Makes a kernel for a node that supports() accepted. The node and all it points to stay until destroy(). constants[i] is operand i where
   * that is known now and never changes (weights of a deployed graph), and stays until destroy(); else NULL. run() gets such operands too.
   * Here is the place to pack weights and to allocate. Stores the kernel, not NULL, in *kernel; on failure there is nothing to destroy.
   */
  const char* (*prepare)(const stair_node* node, const void* const* constants, stair_kernel** kernel);
  /* Bytes of scratch memory that run() needs; asked once. */
  size_t (*scratch_bytes)(const stair_kernel* kernel);
  /* What runs, for reports ("loops", "gemm avx2"); asked once. */
  const char* (*description)(const stair_kernel* kernel);
  /* Executes. Keeps nothing of what the arguments point to. */
  const char* (*run)(stair_kernel* kernel, const stair_arguments* arguments);
  void (*destroy)(stair_kernel* kernel);
} stair_plugin;

/*
 * Defined by the plug-in, called once behind loading. driver_abi is the driver's STAIR_PLUGIN_ABI, for a library that serves several.
 * Stores its table in *plugin, or returns why it can't work here ("no device found").
 */
#ifdef __GNUC__
__attribute__((visibility("default")))
#endif
const char*
stair_plugin_load(uint32_t driver_abi, const stair_plugin** plugin);

/* ---- For convenience: reading a node. ---- */

/* The attribute of that name, or NULL. */
static inline const stair_attribute* stair_find(const stair_node* node, const char* name) {
  size_t i;
  for (i = 0; i < node->attribute_count; ++i) {
    if (strcmp(node->attributes[i].name, name) == 0) return &node->attributes[i];
  }
  return NULL;
}

/* The value of an attribute that the op has, of the kind that it has there. */
static inline int stair_boolean(const stair_node* node, const char* name) {
  return stair_find(node, name)->value.boolean != 0;
}
static inline int64_t stair_integer(const stair_node* node, const char* name) {
  return stair_find(node, name)->value.integer;
}
static inline double stair_number(const stair_node* node, const char* name) {
  return stair_find(node, name)->value.number;
}
static inline const char* stair_text(const stair_node* node, const char* name) {
  return stair_find(node, name)->value.text;
}
static inline const int64_t* stair_integers(const stair_node* node, const char* name) {
  return stair_find(node, name)->value.integers;
}

/* Elements of a tensor. */
static inline int64_t stair_count(const stair_type* type) {
  int64_t count = 1;
  uint32_t i;
  for (i = 0; i < type->rank; ++i) count *= type->dims[i];
  return count;
}

static inline int stair_same_shape(const stair_type* a, const stair_type* b) {
  return a->rank == b->rank && (a->rank == 0 || memcmp(a->dims, b->dims, a->rank * sizeof(int64_t)) == 0);
}

#ifdef __cplusplus
}
#endif

#endif
