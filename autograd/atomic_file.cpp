#include "autograd/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "autograd/error.h"

namespace gradus {

namespace fs = std::filesystem;

AtomicFile::AtomicFile(const fs::path& path) {
    std::error_code ignored;
    // A link stays; what it points to is replaced.
    path_ = fs::is_symlink(path, ignored) ? fs::weakly_canonical(path, ignored) : path;
    check(!fs::exists(path_, ignored) || fs::is_regular_file(path_, ignored), path_.string(),
          "is there and is no regular file; give the name of a file to write");
    beside_ = path_.string() + fmt::format(".writing-{}", getpid());
    file_ = open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0) fail_to("created");
}

AtomicFile::~AtomicFile() {
    if (file_ >= 0) close(file_);
    if (!beside_.empty()) unlink(beside_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(file_, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) fail_to("written");
        bytes = bytes.subspan(static_cast<size_t>(written));
    }
}

void AtomicFile::commit() {
    if (fsync(file_) != 0) fail_to("written");
    if (close(std::exchange(file_, -1)) != 0) fail_to("written");
    if (std::rename(beside_.c_str(), path_.c_str()) != 0) fail_to("replaced");
    beside_.clear();
    // The new name, too, should survive a power failure; where a folder cannot be synced, it may
    // not.
    const fs::path folder = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    if (const int entry = open(folder.c_str(), O_RDONLY | O_CLOEXEC); entry >= 0) {
        fsync(entry);
        close(entry);
    }
}

void AtomicFile::fail_to(const char* what) const {
    const std::string reason = std::strerror(errno);
    std::error_code ignored;
    fail(path_.string(),
         fmt::format("cannot be {}: {}; {}", what, reason,
                     fs::exists(path_, ignored) ? "the file before it is still there"
                                                : "nothing was saved"));
}

}  // namespace gradus
