#include "data/images.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "data/digits.h"
#include "data/files.h"
#include "data/idx.h"
#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

// An IDX file of bytes.
std::string idx(std::initializer_list<uint32_t> sizes, const std::string& elements) {
    std::string file{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
    for (uint32_t size : sizes)
        for (int shift : {24, 16, 8, 0}) file += static_cast<char>(size >> shift & 255);
    return file + elements;
}

void write_gzip(const std::filesystem::path& path, const std::string& bytes) {
    const gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
}

// Pictures of 2x3, all of whose pixels are `grey`, with labels 0, 1, 2 ...
void write_pair(const TemporaryFolder& folder, const std::string& name, uint32_t count, char grey) {
    std::string labels;
    for (uint32_t i = 0; i < count; ++i) labels += static_cast<char>(i % 10);
    write_file(folder / (name + "-images-idx3-ubyte"),
               idx({count, 2, 3}, std::string(count * 6, grey)));
    write_gzip(folder / (name + "-labels-idx1-ubyte.gz"), idx({count}, labels));
}

std::string digits_line(const std::string& pixel, const std::string& label) {
    std::string line;
    for (int i = 0; i < 64; ++i) line += pixel + ",";
    return line + label + "\n";
}

}  // namespace

TEST_CASE("images: a folder like MNIST's is read, compressed or not") {
    const TemporaryFolder folder;
    write_pair(folder, "train", 12, '\xff');
    write_pair(folder, "t10k", 4, '\x33');
    const auto [train, test] = load_images(folder.path());
    CHECK(train.pixels.shape() == Shape{12, 6});
    CHECK(train.height == 2);
    CHECK(train.width == 3);
    CHECK(train.pixels.at(71) == 1);
    CHECK(test.pixels.at(0) == doctest::Approx(0.2));
    CHECK(train.labels.at(11) == 1);
    CHECK(test.size() == 4);
}

TEST_CASE("images: a pair of one's own is split") {
    const TemporaryFolder folder;
    write_pair(folder, "mine", 12, '\x10');
    for (const auto& path : {folder.path(), folder / "mine-images-idx3-ubyte"}) {
        const auto [train, test] = load_images(path);
        CHECK(train.size() == 10);
        CHECK(test.size() == 2);
        CHECK(test.labels.at(0) == 0);
        CHECK(test.labels.at(1) == 1);
    }
}

TEST_CASE("images: a folder or file of no known kind is an error") {
    const TemporaryFolder folder;
    CHECK(contains(error_of([&] { load_images(folder / "nothing"); }), "no such file or folder"));
    CHECK(contains(error_of([&] { load_images(folder.path()); }), "has no pictures"));
    write_file(folder / "photo.png", "x");
    CHECK(contains(error_of([&] { load_images(folder / "photo.png"); }), "of no known kind"));
    write_pair(folder, "train", 6, 'x');
    write_pair(folder, "other", 6, 'x');
    CHECK(contains(error_of([&] { load_images(folder.path()); }), "train-images-idx3-ubyte and"));
    std::filesystem::remove(folder / "train-labels-idx1-ubyte.gz");
    CHECK(contains(error_of([&] { load_images(folder / "train-images-idx3-ubyte"); }),
                   "train-labels-idx1-ubyte: there is no such file"));
}

TEST_CASE("idx: what does not add up is an error that names the file") {
    const TemporaryFolder folder;
    const auto pixels = folder / "p", labels = folder / "l";
    const auto refusal = [&](const std::string& p, const std::string& l) {
        write_file(pixels, p);
        write_file(labels, l);
        return error_of([&] { read_idx_images(pixels, labels); });
    };
    const std::string good_pixels = idx({2, 1, 2}, "abcd"), good_labels = idx({2}, {'\1', '\2'});
    CHECK(refusal(good_pixels, good_labels) == "");
    CHECK(contains(refusal(idx({2, 1, 2}, "abc"), good_labels), "has 19 bytes; 20 expected"));
    CHECK(contains(refusal(idx({2, 1, 2}, "abcde"), good_labels), "has 21 bytes; 20 expected"));
    CHECK(contains(refusal(idx({4294967295, 4294967295, 4294967295}, ""), good_labels), "bytes; "));
    CHECK(contains(refusal("hello", good_labels), "is not an IDX file"));
    CHECK(contains(refusal("", good_labels), "is not an IDX file"));
    CHECK(contains(refusal({'\0', '\0', '\x0d', '\1'}, good_labels), "0x0d"));
    CHECK(contains(refusal({'\0', '\0', '\x08', '\3', '\0'}, good_labels), "claims 3 axes"));
    CHECK(contains(refusal({'\0', '\0', '\x08', '\x7f', '\0'}, good_labels), "claims 127 axes"));
    CHECK(contains(refusal(good_labels, good_labels), "pictures [N, height, width] expected"));
    CHECK(contains(refusal(idx({0, 1, 2}, ""), good_labels), "has shape [0, 1, 2]"));
    CHECK(contains(refusal(good_pixels, good_pixels), "labels [N] expected"));
    CHECK(contains(refusal(good_pixels, idx({3}, "\1\1\1")), "3 labels for 2 pictures"));
    CHECK(contains(refusal(good_pixels, idx({2}, "\1\x0a")), "label 1 is 10; 0 ... 9 expected"));
}

TEST_CASE("files: compressed data that is cut or damaged is an error") {
    const TemporaryFolder folder;
    std::string text;
    for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 10007);
    write_gzip(folder / "whole.gz", text);
    CHECK(read_file(folder / "whole.gz") == text);
    const std::string bytes = test::file_bytes(folder / "whole.gz");

    write_file(folder / "cut.gz", bytes.substr(0, bytes.size() / 2));
    CHECK(contains(error_of([&] { read_file(folder / "cut.gz"); }), "ends too early"));
    std::string damaged = bytes;
    damaged[bytes.size() / 2] = static_cast<char>(damaged[bytes.size() / 2] ^ 0x55);
    write_file(folder / "damaged.gz", damaged);
    CHECK(contains(error_of([&] { read_file(folder / "damaged.gz"); }), "damaged"));
    write_file(folder / "empty", "");
    CHECK(read_file(folder / "empty") == "");
    CHECK(contains(error_of([&] { read_file(folder.path()); }), "is not a file"));
}

TEST_CASE("digits: lines of 64 pixels and a label") {
    const TemporaryFolder folder;
    const auto path = folder / "digits.csv";
    std::string text;
    for (int i = 0; i < 10; ++i) text += digits_line(std::to_string(i), std::to_string(9 - i));
    write_file(path, text);
    const Images all = read_digits(path);
    CHECK(all.size() == 10);
    CHECK(all.pixels.at(8 * 64) == 0.5);
    CHECK(all.labels.at(8) == 1);
    const auto [train, test] = load_images(folder.path());
    CHECK(train.size() == 8);
    CHECK(test.labels.at(1) == 0);

    const auto refusal = [&](const std::string& line) {
        write_file(path, digits_line("3", "4") + line);
        return error_of([&] { read_digits(path); });
    };
    CHECK(contains(refusal(digits_line("nan", "3")), "line 2, field 1 is \"nan\""));
    CHECK(contains(refusal(digits_line("17", "3")), "0 ... 16 expected"));
    CHECK(contains(refusal(digits_line("-1", "3")), "0 ... 16 expected"));
    CHECK(contains(refusal(digits_line("3", "10")), "field 65 is \"10\""));
    CHECK(contains(refusal(digits_line("3", "1.5")), "a whole number expected"));
    CHECK(contains(refusal(digits_line("", "3")), "field 1 is \"\""));
    CHECK(contains(refusal("1,2,3\n"), "line 2 has 3 fields"));
    CHECK(contains(refusal("3," + digits_line("3", "3")), "line 2 has 66 fields"));
    CHECK(refusal("\r\n") == "");
    write_file(path, "");
    CHECK(contains(error_of([&] { read_digits(path); }), "is empty"));
}

TEST_CASE("images: the real digits") {
    const std::filesystem::path path = GRADUS_DATA "/digits";
    if (!std::filesystem::exists(path)) return;
    const auto [train, test] = load_images(path);
    CHECK(train.size() + test.size() == 1797);
    CHECK(train.labels.at(0) == 0);
    CHECK(train.pixels.at(2) == 5.0 / 16);
}

TEST_CASE("images: the real Fashion-MNIST") {
    const std::filesystem::path path = GRADUS_DATA "/fashion";
    if (!std::filesystem::exists(path)) return;
    const auto [train, test] = load_images(path);
    CHECK(train.size() == 60000);
    CHECK(test.size() == 10000);
    CHECK(train.width == 28);
    CHECK(train.labels.at(0) == 9);
}

TEST_CASE("images: the real MNIST") {
    const std::filesystem::path path = GRADUS_DATA "/mnist";
    if (!std::filesystem::exists(path)) return;
    const auto [train, test] = load_images(path);
    CHECK(train.size() == 60000);
    CHECK(test.size() == 10000);
    const int first[] = {5, 0, 4, 1, 9, 2, 1, 3};
    for (int i = 0; i < 8; ++i) CHECK(train.labels.at(i) == first[i]);
}
