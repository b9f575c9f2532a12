// doctest's main: compiled once, linked into gradus-tests and into every lesson's checks.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
