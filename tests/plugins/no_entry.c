/* A shared library that is no plug-in. */

int no_plugin(void);
int no_plugin(void) {
  return 0;
}
