#include "data/idx.h"

#include "autograd/parallel.h"
#include "data/files.h"

namespace gradus::data {
namespace {

constexpr int kUnsignedByte = 0x08;

}  // namespace

Idx read_idx(const std::filesystem::path& path) {
    const std::string file = path.string(), bytes = read_file(path);
    const auto byte = [&](size_t i) { return static_cast<unsigned char>(bytes[i]); };
    check(bytes.size() >= 4 && byte(0) == 0 && byte(1) == 0, file,
          "is not an IDX file: two zero bytes expected at its beginning");
    check(byte(2) == kUnsignedByte, file,
          "has elements of IDX type {:#04x}; bytes ({:#04x}) expected", int{byte(2)},
          kUnsignedByte);
    const size_t rank = byte(3), header = 4 + 4 * rank;
    check(rank >= 1 && rank <= kMaxRank && bytes.size() >= header, file,
          "is not an IDX file: it claims {} axes and has {} bytes", rank, bytes.size());

    Idx idx;
    uint64_t expected = header, elements = 1;
    for (size_t axis = 0; axis < rank; ++axis) {
        uint64_t size = 0;
        for (size_t i = 0; i < 4; ++i) size = size << 8 | byte(4 + 4 * axis + i);
        idx.shape.append(static_cast<int64_t>(size));
        elements = std::min(elements * size, uint64_t{1} << 48);  // absurd, but no overflow
    }
    expected += elements;
    check(bytes.size() == expected, file, "has {} bytes; {} expected for its sizes {}",
          bytes.size(), expected, idx.shape);
    idx.bytes = bytes.substr(header);
    return idx;
}

Images read_idx_images(const std::filesystem::path& pixels, const std::filesystem::path& labels,
                       int classes) {
    const Idx x = read_idx(pixels), y = read_idx(labels);
    check(x.shape.rank() == 3 && x.shape.size() > 0, pixels.string(),
          "has shape {}; pictures [N, height, width] expected", x.shape);
    check(y.shape.rank() == 1, labels.string(), "has shape {}; labels [N] expected", y.shape);
    check(x.shape[0] == y.shape[0], labels.string(), "has {} labels for {} pictures in {}",
          y.shape[0], x.shape[0], pixels.string());

    Images images{Tensor::empty({x.shape[0], x.shape[1] * x.shape[2]}),
                  Tensor::empty({y.shape[0]}, Dtype::i32), static_cast<int>(x.shape[1]),
                  static_cast<int>(x.shape[2]), classes};
    float* grey = images.pixels.data<float>();
    parallel_for(images.pixels.size(), kGrain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
            grey[i] = static_cast<float>(static_cast<unsigned char>(x.bytes[size_t(i)])) / 255;
    });
    for (int64_t i = 0; i < images.size(); ++i) {
        const int label = static_cast<unsigned char>(y.bytes[static_cast<size_t>(i)]);
        check(label < classes, labels.string(), "label {} is {}; 0 ... {} expected", i, label,
              classes - 1);
        images.labels.data<int32_t>()[i] = label;
    }
    return images;
}

}  // namespace gradus::data
