#include "nn/safetensors.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "tests/data/temporary.h"
#include "tests/nn/fixture.h"

using namespace gradus;
using test::contains, test::error_of, test::TemporaryFolder;

namespace {

// A file with this header and so many zero bytes of data.
std::string file_of(const std::string& header, size_t data_bytes) {
    const uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), 8) + header +
           std::string(data_bytes, '\0');
}

std::string entry(const std::string& name, const std::string& fields) {
    return fmt::format("\"{}\":{{{}}}", name, fields);
}

// The error of loading a file with these bytes.
std::string refusal(const std::string& bytes) {
    static const TemporaryFolder folder;
    std::filesystem::remove(folder / "bad.safetensors");  // overwriting would wait for the disk
    test::write_file(folder / "bad.safetensors", bytes);
    const std::string error = error_of([&] { nn::load_safetensors(folder / "bad.safetensors"); });
    CHECK((error == "" || contains(error, "bad.safetensors: ")));
    return error;
}

const nn::StateDict& sample() {
    static const nn::StateDict dict{
        {"a", Tensor::from<float>({1.5f, -0.0f, INFINITY}, {3})},
        {"b.c", Tensor::from<double>({1.0 / 3, 1e-300}, {2, 1})},
        {"ids", Tensor::from<int32_t>({-1, 2147483647}, {2})},
        {"none", Tensor::zeros({0, 4})},
        {"scalar", Tensor::full({}, 7)},
    };
    return dict;
}

}  // namespace

TEST_CASE("safetensors: what was saved is loaded, bit by bit") {
    const TemporaryFolder folder;
    const auto path = folder / "x.safetensors";
    nn::save_safetensors(path, sample(), {{"who", "\"me\"\n"}, {"epoch", "3"}});
    const nn::TensorFile file = nn::load_safetensors(path);
    CHECK(test::same_bits(file.tensors, sample()));
    CHECK(std::signbit(file.tensors.at("a").at(1)));
    CHECK(file.metadata.at("who") == "\"me\"\n");
    CHECK(file.metadata.size() == 2);
    CHECK(folder.file_count() == 1);

    nn::save_safetensors(path, {});
    CHECK(nn::load_safetensors(path).tensors.empty());
}

TEST_CASE("safetensors: a file of Python's is read") {
    CHECK(test::fixture("mlp").size() == 15);
    CHECK(test::fixture("mlp").at("x").shape() == Shape{9, 7});
}

TEST_CASE("safetensors: a file cut short anywhere is refused") {
    const TemporaryFolder folder;
    nn::save_safetensors(folder / "x", sample());
    const std::string bytes = test::file_bytes(folder / "x");
    for (size_t length = 0; length < bytes.size(); ++length) {
        CAPTURE(length);
        CHECK(refusal(bytes.substr(0, length)) != "");
    }
    CHECK(contains(refusal(bytes.substr(0, bytes.size() - 1)), "it is cut short"));
    CHECK(contains(refusal(bytes + "x"), "bytes; "));
}

TEST_CASE("safetensors: a file with any byte changed is read or refused, nothing else") {
    const TemporaryFolder folder;
    nn::save_safetensors(folder / "x", sample());
    const std::string bytes = test::file_bytes(folder / "x");
    for (size_t i = 0; i < bytes.size(); ++i) {
        for (const char other : {'\0', '9', '\xff'}) {
            std::string changed = bytes;
            changed[i] = other;
            refusal(changed);  // throws nothing but Error
        }
    }
}

TEST_CASE("safetensors: contradictions and foreign files are refused with a reason") {
    const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
    CHECK(refusal(file_of("{" + entry("w", good) + "}", 8)) == "");
    CHECK(contains(refusal("hello, world"), "announce a header of"));
    CHECK(contains(refusal(""), "is no safetensors file: it has 0 bytes"));
    CHECK(contains(refusal(file_of("[1, 2]", 0)), "not a JSON object"));
    CHECK(contains(refusal(file_of("{\"w\": ", 0)), "not a JSON object"));
    CHECK(contains(refusal(file_of("{\"w\": 3}", 0)), "w has the dtype null"));

    const auto one = [](const std::string& fields, size_t bytes) {
        return refusal(file_of("{" + entry("w", fields) + "}", bytes));
    };
    CHECK(contains(one(R"("dtype":"BF16","shape":[2],"data_offsets":[0,4])", 4), "\"BF16\""));
    CHECK(contains(one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])", 8),
                   "w has 8 bytes; 12 expected for [3] f32"));
    CHECK(contains(one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])", 8), "shape has -2"));
    CHECK(contains(one(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0])", 0),
                   "absurd shape"));
    CHECK(contains(one(R"("dtype":"F32","shape":[1,1,1,1,1,1,1],"data_offsets":[0,4])", 4),
                   "at most 6"));
    CHECK(contains(one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])", 8), "begin and end"));
    CHECK(contains(one(R"("dtype":"F32","shape":[2])", 8), "data_offsets"));
    CHECK(contains(one(R"("dtype":"F32","shape":[2],"data_offsets":[4,12])", 12),
                   "begins at byte 4 of the data; 0 expected"));

    CHECK(contains(refusal(file_of("{" + entry("w", good) + "," + entry("v", good) + "}", 8)),
                   "begins at byte 0 of the data; 8 expected"));
    CHECK(contains(refusal(file_of("{" + entry("w", good) + "," + entry("w", good) + "}", 8)),
                   "w is listed twice"));
    CHECK(contains(refusal(file_of(R"({"__metadata__":{"step":3}})", 0)), "a string expected"));
    CHECK(contains(error_of([] { nn::load_safetensors("/no/such/file"); }), "no such file"));
    CHECK(contains(error_of([] { nn::load_safetensors("/"); }), "is not a file"));
}

TEST_CASE("safetensors: a half-written file beside does no harm") {
    const TemporaryFolder folder;
    const auto path = folder / "x";
    nn::save_safetensors(path, sample());
    test::write_file(path.string() + fmt::format(".writing-{}", getpid()), "half of a fi");
    CHECK(test::same_bits(nn::load_safetensors(path).tensors, sample()));
    nn::save_safetensors(path, {});
    CHECK(nn::load_safetensors(path).tensors.empty());
    CHECK(folder.file_count() == 1);
}

TEST_CASE("safetensors: while a file is saved anew, a reader sees the old one or the new one") {
    const TemporaryFolder folder;
    const auto path = folder / "x.safetensors";
    const nn::StateDict small{{"a", Tensor::zeros({3})}}, large{{"a", Tensor::zeros({300})}};
    nn::save_safetensors(path, small);
    std::atomic<bool> ended = false;
    std::thread writer([&] {
        for (int i = 0; !ended; ++i) nn::save_safetensors(path, i % 2 ? small : large);
    });
    std::string error;
    for (int i = 0; i < 2000 && error.empty(); ++i)
        error = error_of([&] { nn::load_safetensors(path); });
    ended = true;
    writer.join();
    CHECK(error == "");
}

TEST_CASE("safetensors: where it cannot be written the old file stays") {
    const TemporaryFolder folder;
    const auto path = folder / "x";
    nn::save_safetensors(path, sample());

    // A disk that is full after a few bytes.
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1000, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string error = error_of([&] {
        nn::save_safetensors(path, {{"w", Tensor::ones({5000})}});
    });
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);

    CHECK(contains(error, "cannot be written"));
    CHECK(contains(error, "the file before it is still there"));
    CHECK(folder.file_count() == 1);
    CHECK(test::same_bits(nn::load_safetensors(path).tensors, sample()));

    CHECK(contains(error_of([&] { nn::save_safetensors(path / "y", sample()); }),
                   "cannot be created"));
    CHECK(contains(error_of([&] { nn::save_safetensors("/dev/full", sample()); }),
                   "is no regular file"));
    CHECK(contains(error_of([&] { nn::save_safetensors(folder.path(), sample()); }),
                   "is no regular file"));
}

TEST_CASE("safetensors: saving through a link replaces what it points to") {
    const TemporaryFolder folder;
    nn::save_safetensors(folder / "real", {});
    std::filesystem::create_symlink(folder / "real", folder / "link");
    nn::save_safetensors(folder / "link", sample());
    CHECK(std::filesystem::is_symlink(folder / "link"));
    CHECK(nn::load_safetensors(folder / "real").tensors.size() == sample().size());
}
