// The strings and ids of tests/fixtures/make_tokenizers.py.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "autograd/tensor.h"

namespace gradus::test {

inline nlohmann::json tokenizer_fixture(const char* name) {
    std::ifstream file(GRADUS_FIXTURES "/tokenizers.json");
    return nlohmann::json::parse(file).at(name);
}

inline std::vector<int32_t> numbers(const Tensor& ids) {
    const auto values = ids.values<int32_t>();
    return {values.begin(), values.end()};
}

/// Is what `./run data NAME` fetches not here? Then the test is skipped.
inline bool absent(const char* name) {
    if (std::filesystem::exists(std::filesystem::path(GRADUS_DATA) / name)) return false;
    MESSAGE("GRADUS_SKIP: " << name << " is not here; ./run data " << name);
    return true;
}

}  // namespace gradus::test
