#include "data/files.h"

#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "autograd/error.h"

namespace gradus::data {

std::string read_file(const std::filesystem::path& path) {
    const std::string name = path.string();
    std::error_code ignored;
    check(std::filesystem::exists(path, ignored), name, "there is no such file");
    check(std::filesystem::is_regular_file(path, ignored), name, "is not a file");
    errno = 0;
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(gzopen(name.c_str(), "rb"), gzclose);
    check(file != nullptr, name, "cannot be opened: {}", std::strerror(errno));
    gzbuffer(file.get(), 1 << 18);

    std::string bytes;
    size_t used = 0;
    while (true) {
        bytes.resize(std::max<size_t>(1 << 20, bytes.size() * 2));
        const size_t room = std::min<size_t>(bytes.size() - used, 1 << 30);
        const int got = gzread(file.get(), bytes.data() + used, static_cast<unsigned>(room));
        if (got <= 0) break;
        used += static_cast<size_t>(got);
    }
    int status = Z_OK;
    const char* message = gzerror(file.get(), &status);
    check(status != Z_BUF_ERROR, name, "its compressed data ends too early; fetch the file anew");
    check(status == Z_OK || status == Z_STREAM_END, name,
          "cannot be read: {}; if it is compressed, it is damaged, so fetch it anew",
          status == Z_ERRNO ? std::strerror(errno) : message);
    bytes.resize(used);
    return bytes;
}

}  // namespace gradus::data
