#include "data/text/austen.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include "tests/data/temporary.h"

using namespace gradus;
using namespace gradus::data;
using test::contains, test::error_of, test::TemporaryFolder, test::write_file;

namespace {

std::string number(uint32_t value) {
    std::string bytes;
    for (int shift : {24, 16, 8, 0}) bytes += static_cast<char>(value >> shift & 255);
    return bytes;
}

std::string text(const std::string& characters) {
    return number(0x40009) + number(static_cast<uint32_t>(characters.size())) + characters;
}

// A serialised vector of strings, as R writes it.
std::string object(const std::vector<std::string>& lines, uint32_t flags = 16) {
    std::string bytes = "X\n" + number(3) + number(0x40201) + number(0x30500) + number(5) +
                        "UTF-8" + number(flags) + number(static_cast<uint32_t>(lines.size()));
    for (const std::string& line : lines) bytes += text(line);
    return bytes;
}

std::string record(const std::string& content, int64_t claimed = -1) {
    uLongf size = compressBound(content.size());
    std::string packed(size, '\0');
    compress(reinterpret_cast<Bytef*>(packed.data()), &size,
             reinterpret_cast<const Bytef*>(content.data()), content.size());
    return number(static_cast<uint32_t>(claimed < 0 ? content.size() : claimed)) +
           packed.substr(0, size);
}

// The five others, and whatever stands for the sixth.
std::string database(const std::string& persuasion) {
    std::string bytes;
    for (const char* title : {"EMMA", "MANSFIELD PARK", "NORTHANGER ABBEY", "PRIDE AND PREJUDICE",
                              "SENSE AND SENSIBILITY"})
        bytes += record(object({title, "", "\u00a320,000"}));
    return bytes + persuasion;
}

}  // namespace

TEST_CASE("austen: six novels by title, in the order of their titles") {
    const TemporaryFolder folder;
    const auto path = folder / "Rdata.rdb";
    write_file(path, database(record(object({"Persuasion", "", "Sir Walter", "Finis"}))));
    const auto novels = read_austen(path);
    REQUIRE(novels.size() == 6);
    CHECK(novels[0].name == "Emma");
    CHECK(novels[0].text == "EMMA\n\n\u00a320,000\n");
    CHECK(novels[3].name == "Persuasion");
    CHECK(novels[3].text == "Persuasion\n\nSir Walter\nFinis\n");
    CHECK(novels[5].name == "Sense and Sensibility");
}

TEST_CASE("austen: a file that is cut, damaged or another is an error") {
    const TemporaryFolder folder;
    const auto path = folder / "Rdata.rdb";
    const auto refusal = [&](const std::string& bytes) {
        write_file(path, bytes);
        return error_of([&] { read_austen(path); });
    };
    const auto refusal_of = [&](const std::string& content) {
        return refusal(database(record(content)));
    };
    const std::string good = object({"Persuasion", "", "Sir Walter"}), packed = record(good);
    CHECK(refusal_of(good) == "");

    CHECK(contains(refusal(""), "Rdata.rdb: has 0 novels; each of the 6 expected once"));
    CHECK(contains(refusal(database("")), "has 5 novels"));
    CHECK(contains(refusal(database(packed + packed)), "has 7 novels"));
    CHECK(contains(refusal(database(record(object({"EMMA"})))), "has 6 novels; each"));
    CHECK(contains(refusal(database("\1\2")), "Rdata.rdb: ends at byte"));
    CHECK(contains(refusal(database(packed.substr(0, packed.size() - 9))), "it ends too early"));
    CHECK(contains(refusal(database(record(good, 10))), "of 10 bytes: it ends too early or is"));
    CHECK(contains(refusal(database(record(good, 9999))), "of 9999 bytes"));
    CHECK(contains(refusal(database(record(good, 4294967295))), "claims 4294967295 bytes"));
    std::string damaged = packed;
    damaged[4] = 'y';  // zlib's begins with x
    CHECK(contains(refusal(database(damaged)), "incorrect header check"));
    CHECK(contains(refusal(database(damaged)), "fetch it anew: ./run data austen"));

    CHECK(contains(refusal_of(""), "Rdata.rdb, record 6: ends at byte 0"));
    CHECK(contains(refusal_of("A\n" + good), "record 6: byte 0 begins no serialised R object"));
    CHECK(contains(refusal_of("X\n" + number(2) + good), "byte 2 begins no object in R's format"));
    CHECK(contains(refusal_of(object({}, 13)), "flags 0xd; a plain vector of strings (0x10)"));
    CHECK(contains(refusal_of(object({}, 16 | 1 << 9)), "flags 0x210"));
    CHECK(contains(refusal_of(good.substr(0, good.size() - 3)), "where 10 more bytes"));
    CHECK(contains(refusal_of(good + "!"), "goes on for 1 bytes"));
    std::string missing = object({"Persuasion", ""});
    missing.replace(missing.size() - 4, 4, number(UINT32_MAX));
    CHECK(contains(refusal_of(missing), "an element of type 9; a string (9), not NA, expected"));
    std::string other = object({"Persuasion", ""});
    other.replace(other.size() - 8, 4, number(14));
    CHECK(contains(refusal_of(other), "an element of type 14"));
    CHECK(contains(refusal_of(object({"Ulysses"})), "begins with \"Ulysses\""));
    CHECK(contains(refusal_of(object({})), "begins with \"\""));
    CHECK(contains(refusal_of(object({"Persuasion", "\xe9"})), "is not UTF-8: line 2, byte 1"));
}

TEST_CASE("austen: the real novels") {
    const std::filesystem::path path = GRADUS_DATA "/austen/Rdata.rdb";
    if (!std::filesystem::exists(path)) {
        MESSAGE("GRADUS_SKIP: austen is not here; ./run data austen");
        return;
    }
    const auto novels = read_austen(path);
    REQUIRE(novels.size() == 6);
    size_t bytes = 0;
    for (const Document& novel : novels) {
        bytes += novel.text.size();
        CHECK(novel.text.size() > 400'000);
    }
    CHECK(bytes / 10'000 == 402);  // 4.03 MB
    CHECK(contains(novels[4].text, "It is a truth universally acknowledged"));
    CHECK(contains(novels[1].text, "\u00a320,000"));
}
