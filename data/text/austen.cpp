// An .rdb file is a row of records: the length of the content, 32 bits, big-endian, and the content
// as one zlib stream. The content is a serialised R object ("R Internals", section 1.8), here a
// vector of strings, one for each line of a novel.
#include "data/text/austen.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "autograd/error.h"
#include "data/files.h"

namespace gradus::data {
namespace {

constexpr std::array<std::string_view, 6> kTitles{
    "Emma",       "Mansfield Park",      "Northanger Abbey",
    "Persuasion", "Pride and Prejudice", "Sense and Sensibility"};

constexpr std::string_view kRemedy = "fetch it anew: ./run data austen";

// Takes bytes and big-endian numbers from the front.
class Reader {
public:
    Reader(std::string what, std::string_view bytes) : what_(std::move(what)), bytes_(bytes) {}

    std::string_view take(size_t count) {
        check(count <= rest().size(), what_,
              "ends at byte {}, where {} more bytes are expected at byte {}; {}", bytes_.size(),
              count, at_, kRemedy);
        const std::string_view part = rest().substr(0, count);
        at_ += count;
        return part;
    }
    uint32_t number() {
        uint32_t value = 0;
        for (char byte : take(4)) value = value << 8 | static_cast<unsigned char>(byte);
        return value;
    }
    void expect(std::string_view bytes, std::string_view meaning) {
        const size_t begin = at_;
        check(take(bytes.size()) == bytes, what_, "byte {} begins no {}; {}", begin, meaning,
              kRemedy);
    }
    std::string_view rest() const { return bytes_.substr(at_); }
    bool done() const { return at_ == bytes_.size(); }
    size_t at() const { return at_; }
    const std::string& what() const { return what_; }

private:
    std::string what_;
    std::string_view bytes_;
    size_t at_ = 0;
};

// The content of the record at the reader's place.
std::string inflate_record(Reader& file) {
    const size_t begin = file.at();
    const size_t size = file.number();
    constexpr size_t kMostPerByte = 1032;  // deflate cannot shrink further
    check(size / kMostPerByte <= file.rest().size(), file.what(),
          "the record at byte {} claims {} bytes, more than {} compressed ones can hold; {}", begin,
          size, file.rest().size(), kRemedy);

    std::string content(size, '\0');
    z_stream stream{};
    check(inflateInit(&stream) == Z_OK, file.what(), "zlib could not begin; is memory short?");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(file.rest().data()));
    stream.avail_in = static_cast<uInt>(std::min<size_t>(file.rest().size(), UINT32_MAX));
    stream.next_out = reinterpret_cast<Bytef*>(content.data());
    stream.avail_out = static_cast<uInt>(size);
    const int status = inflate(&stream, Z_FINISH);
    const std::string message = stream.msg ? stream.msg : "it ends too early or is too long";
    const size_t read = stream.total_in, written = stream.total_out;
    inflateEnd(&stream);
    check(status == Z_STREAM_END && written == size, file.what(),
          "the record at byte {} gave {} of {} bytes: {}; {}", begin, written, size, message,
          kRemedy);
    file.take(read);
    return content;
}

// The strings of a vector, each ended by \n.
std::string parse_strings(Reader record) {
    // Types of R objects; flags above the lowest byte tell of encodings and attributes.
    constexpr uint32_t kStrings = 16, kString = 9, kHasAttributes = 1 << 9;
    constexpr uint32_t kMissing = UINT32_MAX;  // NA's length

    record.expect("X\n", "serialised R object in XDR");
    record.expect({"\0\0\0\3", 4}, "object in R's format 3");
    record.take(8);                // the versions of R that wrote it and that can read it
    record.take(record.number());  // the encoding that was native there; strings name their own
    const size_t begin = record.at();
    const uint32_t flags = record.number();
    check((flags & 0xff) == kStrings && !(flags & kHasAttributes), record.what(),
          "byte {} begins an object with flags {:#x}; a plain vector of strings ({:#x}) expected; "
          "{}",
          begin, flags, kStrings, kRemedy);
    std::string text;
    for (uint32_t left = record.number(); left > 0; --left) {
        const size_t at = record.at();
        const uint32_t type = record.number() & 0xff, size = record.number();
        check(type == kString && size != kMissing, record.what(),
              "byte {} begins an element of type {}; a string ({}), not NA, expected; {}", at, type,
              kString, kRemedy);
        text.append(record.take(size)) += '\n';
    }
    check(record.done(), record.what(), "goes on for {} bytes after its strings; {}",
          record.rest().size(), kRemedy);
    check_utf8(record.what(), text);
    return text;
}

// The first line of a novel is its title, some of them in capitals; empty where it is none of them.
std::string_view title_of(std::string_view text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    const auto lower = [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    const auto matches = [&](std::string_view title) {
        return std::equal(line.begin(), line.end(), title.begin(), title.end(),
                          [&](char a, char b) { return lower(a) == lower(b); });
    };
    const auto found = std::find_if(kTitles.begin(), kTitles.end(), matches);
    return found == kTitles.end() ? std::string_view() : *found;
}

}  // namespace

std::vector<Document> read_austen(const std::filesystem::path& rdb) {
    const std::string name = rdb.string(), bytes = read_file(rdb);
    std::vector<Document> novels;
    for (Reader file(name, bytes); !file.done();) {
        const std::string what = fmt::format("{}, record {}", name, novels.size() + 1);
        const std::string content = inflate_record(file);
        std::string text = parse_strings(Reader(what, content));
        const std::string_view title = title_of(text);
        check(!title.empty(), what, "begins with \"{}\"; the title of a novel expected; {}",
              text.substr(0, std::min<size_t>(text.find('\n'), 40)), kRemedy);
        novels.push_back({std::string(title), std::move(text)});
    }
    std::sort(novels.begin(), novels.end(),
              [](const Document& a, const Document& b) { return a.name < b.name; });
    const auto is_titled = [](const Document& novel, std::string_view title) {
        return novel.name == title;
    };
    check(std::equal(novels.begin(), novels.end(), kTitles.begin(), kTitles.end(), is_titled), name,
          "has {} novels; each of the {} expected once; {}", novels.size(), kTitles.size(),
          kRemedy);
    return novels;
}

}  // namespace gradus::data
