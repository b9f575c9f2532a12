#include "report/html.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "autograd/error.h"
#include "report/attention.h"
#include "report/svg.h"
#include "report/text.h"

namespace gradus::report {
namespace {

constexpr std::string_view kPageStyle = R"(
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0; letter-spacing: -.01em; }
.subtitle { color: var(--soft); margin: .35rem 0 0; }
h2 { font-size: 1.25rem; margin: 3.25rem 0 .75rem; padding-top: 1.25rem;
  border-top: 1px solid var(--grid); }
h3 { font-size: 1.05rem; margin: 2.25rem 0 .5rem; }
p { margin: .75rem 0; max-width: 42rem; }
pre { font: 13.5px/1.55 ui-monospace, "SFMono-Regular", "DejaVu Sans Mono", monospace;
  background: var(--op); border-radius: 6px; padding: .9rem 1.1rem; overflow-x: auto; }
figure { margin: 2rem 0; overflow-x: auto; }
figure .g { display: block; max-width: 100%; height: auto; }
figcaption, .note { color: var(--soft); font-size: .9rem; line-height: 1.5; margin-top: .6rem;
  max-width: 42rem; }
.note { margin: .35rem 0; }
.row { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; }
.row > * { flex: 0 1 auto; min-width: 0; overflow-x: auto; }
.wide { overflow-x: auto; margin: 1.5rem 0; }
table { border-collapse: collapse; font-size: .94rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th, td { text-align: left; padding: .38rem 1.6rem .38rem 0; border-bottom: 1px solid var(--grid);
  vertical-align: top; }
thead th { color: var(--soft); font-weight: 500; border-bottom-color: var(--line);
  white-space: nowrap; }
.section th { padding-top: 1.1rem; font-weight: 600; }
.number { text-align: right; white-space: nowrap; }
td.pass, td.fail { white-space: nowrap; }
.pass { color: var(--pass); } .fail { color: var(--fail); font-weight: 600; }
.images { display: grid; gap: 1rem .75rem; }
.images h4 { grid-column: 1 / -1; margin: 0; font-size: .94rem; }
.images span { display: flex; flex-direction: column; align-items: center; }
.images img { image-rendering: pixelated; border: 1px solid var(--line); border-radius: 3px; }
.images em { font-style: normal; font-size: .8rem; color: var(--soft); text-align: center; }
.images em { line-height: 1.3; margin-top: .25rem; }
.images em.pass { color: var(--pass); } .images em.fail { color: var(--fail); font-weight: 400; }
@media print {
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  figure, table, pre { break-inside: avoid; } h2, h3 { break-after: avoid; }
  pre { white-space: pre-wrap; }
}
)";

// The remedy for an errno, to follow its name.
std::string_view remedy(int error) {
    switch (error) {
        case ENOSPC:
        case EDQUOT:
            return "; free some space or write to another disk";
        case EACCES:
        case EPERM:
        case EROFS:
            return "; choose a folder that you may write to";
        case ENOTDIR:
        case EISDIR:
            return "; choose another name";
        default:
            return "";
    }
}

class OpenFile {
public:
    OpenFile(const std::filesystem::path& path, int flags)
        : descriptor_(open(path.c_str(), flags, 0666)) {}
    ~OpenFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    // Writes everything and closes; gives 0 or the errno of what went wrong.
    int write_all(std::string_view bytes) {
        if (descriptor_ < 0) return errno;
        while (!bytes.empty()) {
            const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return errno;
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        const int descriptor = std::exchange(descriptor_, -1);
        return ::close(descriptor) == 0 ? 0 : errno;
    }

private:
    int descriptor_;
};

}  // namespace

Page::Page(std::string title, std::string subtitle)
    : title_(std::move(title)), subtitle_(std::move(subtitle)) {}

Page& Page::summary(const Table& table) {
    summary_ += table.html();
    return *this;
}

Page& Page::heading(std::string_view text) {
    body_ += fmt::format("<h2>{}</h2>\n", escape(text));
    return *this;
}

Page& Page::subheading(std::string_view text) {
    body_ += fmt::format("<h3>{}</h3>\n", escape(text));
    return *this;
}

Page& Page::text(std::string_view paragraph) {
    body_ += fmt::format("<p>{}</p>\n", escape(paragraph));
    return *this;
}

Page& Page::preformatted(std::string_view text) {
    body_ += fmt::format("<pre>{}</pre>\n", escape(text));
    return *this;
}

Page& Page::table(const Table& table) {
    body_ += table.html();
    return *this;
}

Page& Page::figure(std::string_view drawing, std::string_view caption) {
    body_ += fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", drawing,
                         escape(caption));
    return *this;
}

Page& Page::figures(const std::vector<std::string>& drawings, std::string_view caption) {
    std::string row = "<div class=\"row\">\n";
    for (const std::string& drawing : drawings) row += "<div>" + drawing + "</div>\n";
    return figure(row + "</div>\n", caption);
}

std::string Page::html() const {
    std::string html = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    // Text is escaped, so only a drawing can begin with this. Such a page has one script, known by
    // its hash, and no other runs.
    const bool scripted = body_.find("<div class=\"attention\"") != std::string::npos;
    // Nothing may be loaded from anywhere; the icon keeps a browser from asking for one.
    html += fmt::format(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; img-src data:{}\">\n",
        scripted ? fmt::format("; script-src 'sha256-{}'", attention_script_hash()) : "");
    html +=
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n";
    html += fmt::format("<title>{}</title>\n<style>{}{}{}</style>\n</head>\n<body>\n<main>\n",
                        escape(title_), svg_style(), kPageStyle, scripted ? attention_style() : "");
    html += fmt::format("<h1>{}</h1>\n", escape(title_));
    if (!subtitle_.empty())
        html += fmt::format("<p class=\"subtitle\">{}</p>\n", escape(subtitle_));
    html += summary_ + body_ + "</main>\n";
    if (scripted) html += fmt::format("<script>{}</script>\n", attention_script());
    return html + "</body>\n</html>\n";
}

void Page::save(const std::filesystem::path& path) const { write_file(path, html()); }

void write_file(const std::filesystem::path& path, std::string_view bytes) {
    const auto fail_with = [&](int error) {
        check(false, "save", "{} could not be written: {}{}", path.string(), std::strerror(error),
              remedy(error));
    };
    check(!path.empty() && path.has_filename(), "save", "\"{}\" names no file", path.string());
    std::error_code error;
    // A device or pipe is written to as it is: it cannot be renamed over.
    const auto type = std::filesystem::status(path, error).type();
    if (type == std::filesystem::file_type::character || type == std::filesystem::file_type::fifo) {
        if (const int reason = OpenFile(path, O_WRONLY).write_all(bytes)) fail_with(reason);
        return;
    }
    if (type == std::filesystem::file_type::directory) fail_with(EISDIR);
    if (path.has_parent_path()) {
        std::filesystem::create_directories(path.parent_path(), error);
        if (error) fail_with(error.value());
    }
    std::filesystem::path beside = path;
    beside += fmt::format(".{}.part", getpid());
    const auto give_up = [&](int reason) {
        std::error_code ignored;
        std::filesystem::remove(beside, ignored);
        fail_with(reason);
    };
    OpenFile file(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
    if (const int reason = file.write_all(bytes)) give_up(reason);
    std::filesystem::rename(beside, path, error);
    if (error) give_up(error.value());
}

}  // namespace gradus::report
