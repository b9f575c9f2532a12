#include "nn/safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "autograd/atomic_file.h"

namespace gradus::nn {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

using nlohmann::json;

constexpr uint64_t kPrefix = 8;                   // bytes of the header's length
constexpr uint64_t kLongestHeader = 100'000'000;  // what other readers accept
constexpr uint64_t kAbsurd = uint64_t{1} << 40;   // for a size of a tensor
constexpr const char* kMetadata = "__metadata__";

constexpr std::pair<const char*, Dtype> kDtypes[] = {
    {"F32", Dtype::f32}, {"F64", Dtype::f64}, {"I32", Dtype::i32}};

const char* tag_of(Dtype dtype) {
    return std::find_if(std::begin(kDtypes), std::end(kDtypes),
                        [&](const auto& entry) { return entry.second == dtype; })
        ->first;
}

// The bytes of a tensor, to be read or overwritten.
std::span<std::byte> bytes_of_numbers(Tensor x) {
    void* start = x.dtype() == Dtype::f32   ? static_cast<void*>(x.data<float>())
                  : x.dtype() == Dtype::f64 ? static_cast<void*>(x.data<double>())
                                            : static_cast<void*>(x.data<int32_t>());
    return {static_cast<std::byte*>(start), static_cast<size_t>(x.size()) * bytes_of(x.dtype())};
}

// What the header says of one tensor: numbers at bytes begin ... end - 1 behind the header.
struct Entry {
    std::string name;
    Shape shape;
    Dtype dtype;
    uint64_t begin, end;
};

Entry read_entry(const std::string& file, const std::string& name, const json& fields) {
    const auto list_of = [&](const char* key, size_t at_most) {
        check(fields.is_object() && fields.contains(key) && fields[key].is_array() &&
                  fields[key].size() <= at_most,
              file, "{}: a list {} of at most {} numbers expected", name, key, at_most);
        std::vector<uint64_t> numbers;
        for (const json& number : fields[key]) {
            check(number.is_number_unsigned(), file, "{}: {} has {}; whole numbers expected", name,
                  key, number.dump());
            numbers.push_back(number.get<uint64_t>());
        }
        return numbers;
    };
    Entry entry{name, {}, {}, 0, 0};
    const json tag = fields.is_object() ? fields.value("dtype", json()) : json();
    const auto known = std::find_if(std::begin(kDtypes), std::end(kDtypes),
                                    [&](const auto& pair) { return tag == pair.first; });
    check(known != std::end(kDtypes), file,
          "{} has the dtype {}; F32, F64 or I32 expected: convert the file first", name,
          tag.dump());
    entry.dtype = known->second;

    uint64_t bytes = bytes_of(entry.dtype);
    for (uint64_t size : list_of("shape", kMaxRank)) {
        check(size < kAbsurd && !__builtin_mul_overflow(bytes, size, &bytes), file,
              "{} has the absurd shape {}", name, fields["shape"].dump());
        entry.shape.append(static_cast<int64_t>(size));
    }
    const std::vector<uint64_t> offsets = list_of("data_offsets", 2);
    check(offsets.size() == 2 && offsets[0] <= offsets[1], file,
          "{}: data_offsets are {}; begin and end expected", name, fields["data_offsets"].dump());
    entry.begin = offsets[0];
    entry.end = offsets[1];
    check(entry.end - entry.begin == bytes, file, "{} has {} bytes; {} expected for {} {}", name,
          entry.end - entry.begin, bytes, entry.shape, gradus::name(entry.dtype));
    return entry;
}

// The header as JSON; a name that stands in it twice is an error, which JSON itself would let pass.
json parse_header(const std::string& file, const std::string& text) {
    std::set<std::string> names;
    std::string twice;
    const json header = json::parse(
        text,
        [&](int depth, json::parse_event_t event, json& value) {
            if (event == json::parse_event_t::key && depth == 1 &&
                !names.insert(value.get<std::string>()).second)
                twice = value.get<std::string>();
            return true;
        },
        false);
    check(header.is_object(), file, "is no safetensors file: its header is not a JSON object");
    check(twice.empty(), file, "the tensor {} is listed twice", twice);
    return header;
}

}  // namespace

void save_safetensors(const std::filesystem::path& path, const StateDict& tensors,
                      const Metadata& metadata) {
    // Wider types first, so that all numbers lie on multiples of their size.
    std::vector<std::pair<std::string, Tensor>> ordered(tensors.begin(), tensors.end());
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) {
        return bytes_of(a.second.dtype()) > bytes_of(b.second.dtype());
    });

    json header = json::object();
    if (!metadata.empty()) header[kMetadata] = metadata;
    uint64_t end = 0;
    for (const auto& [name, x] : ordered) {
        check(name != kMetadata, path.string(), "no tensor can have the name {}", kMetadata);
        const uint64_t begin = end;
        end += bytes_of_numbers(x).size();
        header[name] = {{"dtype", tag_of(x.dtype())},
                        {"shape", std::vector<int64_t>(x.shape().begin(), x.shape().end())},
                        {"data_offsets", {begin, end}}};
    }
    std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
    text.resize((text.size() + 7) / 8 * 8, ' ');
    const uint64_t length = text.size();

    AtomicFile file(path);
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(std::as_bytes(std::span(text)));
    for (const auto& [name, x] : ordered) file.write(bytes_of_numbers(x));
    file.commit();
}

TensorFile load_safetensors(const std::filesystem::path& path) {
    const std::string file = path.string();
    std::error_code error;
    check(std::filesystem::exists(path, error), file, "there is no such file");
    check(std::filesystem::is_regular_file(path, error), file, "is not a file");
    std::ifstream in(path, std::ios::binary);
    check(in.is_open(), file, "cannot be opened: {}", std::strerror(errno));
    // The size of the opened file: another one may be saved in its place while this one is read.
    const auto size = static_cast<uint64_t>(in.seekg(0, std::ios::end).tellg());
    in.seekg(0);
    const auto read = [&](std::span<std::byte> bytes) {
        in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        check(in.good(), file, "cannot be read to its end");
    };

    uint64_t length = 0;
    check(size >= kPrefix, file, "is no safetensors file: it has {} bytes", size);
    read(std::as_writable_bytes(std::span(&length, 1)));
    check(length <= kLongestHeader && length <= size - kPrefix, file,
          "is cut short or no safetensors file: its first bytes announce a header of {} bytes, the "
          "file has {}",
          length, size);
    std::string text(length, ' ');
    read(std::as_writable_bytes(std::span(text)));

    TensorFile result;
    std::vector<Entry> entries;
    const json header = parse_header(file, text);
    for (const auto& [name, fields] : header.items()) {
        if (name != kMetadata) {
            entries.push_back(read_entry(file, name, fields));
            continue;
        }
        check(fields.is_object(), file, "{} is {}; strings by name expected", kMetadata,
              fields.dump());
        for (const auto& [key, value] : fields.items()) {
            check(value.is_string(), file, "{}.{} is {}; a string expected", kMetadata, key,
                  value.dump());
            result.metadata[key] = value.get<std::string>();
        }
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t end = 0;
    for (const Entry& entry : entries) {
        check(entry.begin == end, file, "{} begins at byte {} of the data; {} expected", entry.name,
              entry.begin, end);
        end = entry.end;
    }
    check(size == kPrefix + length + end, file, "has {} bytes; {} expected by its header{}", size,
          kPrefix + length + end,
          size < kPrefix + length + end ? ": it is cut short, so fetch or save it anew" : "");
    for (const Entry& entry : entries) {
        const Tensor x = Tensor::empty(entry.shape, entry.dtype);
        read(bytes_of_numbers(x));
        result.tensors.emplace(entry.name, x);
    }
    return result;
}

}  // namespace gradus::nn
