#include "models/gpt.h"

#include <algorithm>
#include <cmath>

#include "nn/init.h"
#include "nn/loss.h"

namespace gradus::models {
namespace {

GPTOptions checked(const GPTOptions& o) {
    check(
        o.vocab > 0 && o.context > 0 && o.dim > 0 && o.layers > 0, "gpt",
        "a vocabulary of {} tokens, {} positions, width {}, {} layers; at least 1 of each expected",
        o.vocab, o.context, o.dim, o.layers);
    check(o.heads > 0 && o.dim % o.heads == 0, "gpt", "a width of {} does not divide into {} heads",
          o.dim, o.heads);
    return o;
}

// The states [B, T, D] at one position of each row -> [B, D].
Tensor at_positions(const Tensor& states, const std::vector<int32_t>& positions) {
    const int64_t B = states.size(0), T = states.size(1), D = states.size(2);
    Tensor rows = Tensor::empty({B}, Dtype::i32);
    for (int64_t b = 0; b < B; ++b)
        rows.data<int32_t>()[b] = static_cast<int32_t>(b * T) + positions[static_cast<size_t>(b)];
    return index_select(reshape(states, {B * T, D}), 0, rows);
}

}  // namespace

GPT::Block::Block(const GPTOptions& o)
    : ln_1(o.dim),
      qkv(o.dim, 3 * o.dim),
      attended(o.dim, o.dim),
      ln_2(o.dim),
      up(o.dim, 4 * o.dim, true, Activation::gelu_tanh),
      down(4 * o.dim, o.dim),
      dropout(o.dropout) {
    children({{"ln_1", ln_1},
              {"attn.c_attn", qkv},
              {"attn.c_proj", attended},
              {"ln_2", ln_2},
              {"mlp.c_fc", up},
              {"mlp.c_proj", down}});
    if (o.dropout > 0) child("dropout", dropout);
}

template <class F>
Tensor GPT::Block::forward(const Tensor& x, F attend) {
    const Scope in(name());
    const Tensor y = x + dropout(attended(attend(qkv(ln_1(x)))));
    return y + dropout(down(up(ln_2(y))));
}

GPT::GPT(const GPTOptions& o)
    : Module("gpt"),
      options_(checked(o)),
      wte_(o.vocab, o.dim),
      wpe_(o.context, o.dim),
      dropout_(o.dropout),
      ln_f_(o.dim) {
    children({{"wte", wte_}, {"wpe", wpe_}});
    if (o.dropout > 0) child("dropout", dropout_);
    for (int64_t i = 0; i < o.layers; ++i) h_.emplace_back(o);
    child("ln_f", ln_f_);

    const double adding = 1 / std::sqrt(2 * static_cast<double>(o.layers));
    for (const auto& [path, x] : named_parameters()) {
        if (x.rank() == 2)
            nn::init::normal(x, 0, path.ends_with("c_proj.weight") ? 0.02 * adding : 0.02);
        if (path.ends_with(".bias")) nn::init::zeros(x);
    }
}

Tensor GPT::embed(const Tensor& ids, int64_t first) {
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [B, T] with at least one step expected", ids.shape());
    const int64_t last = first + ids.size(1);
    check(last <= options_.context, "ids",
          "reach position {}, and the model has {}; cut the text, or make the model with a larger "
          "context",
          last, options_.context);
    return dropout_(wte_(ids) + slice(wpe_.weight, 0, first, last));
}

Tensor GPT::hidden(const Tensor& ids, std::vector<Tensor>* maps) {
    const Scope in(name());
    Tensor x = embed(ids, 0);  // [B, T, D]
    for (Block& block : h_)
        x = block.forward(x, [&](const Tensor& qkv) {
            const auto [y, weights] = self_attention(qkv, options_.heads, {.causal = true});
            if (maps) maps->push_back(weights);
            return y;
        });
    return ln_f_(x);
}

Tensor GPT::head(const Tensor& h) {
    const Scope in(name());
    return linear(h, wte_.weight);
}

GPTSteps::GPTSteps(GPT& model) : model_(model), cache_(model.h_.size()) {}

Tensor GPTSteps::step(const Tensor& tokens) {
    check(tokens.rank() == 1, "ids", "have shape {}; [R] expected", tokens.shape());
    return read(tokens.view({tokens.size(), 1}));
}

Tensor GPTSteps::read(const Tensor& ids) {
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [R, T] with at least one step expected", ids.shape());
    const int64_t rows = ids.size(0), time = ids.size(1), context = model_.options().context;
    check(position_ == 0 || rows == static_cast<int64_t>(texts_.size()), "ids",
          "have {} rows, and {} rows are being written; call reorder() first", rows, texts_.size());
    const bool fits = position_ + time <= context;
    if (fits && position_ > 0 && time > 1) return StepModel::read(ids);

    // Of each row, what is to be kept of the text so far, and the new ids.
    const int64_t fresh = std::min(time, context);
    const int64_t kept = fits ? position_ : std::max<int64_t>(0, context / 2 + 1 - fresh);
    texts_.resize(static_cast<size_t>(rows));
    for (size_t r = 0; r < texts_.size(); ++r) {
        auto& text = texts_[r];
        text.erase(text.begin(), text.end() - kept);
        const auto row =
            ids.values<int32_t>().subspan(r * static_cast<size_t>(time), static_cast<size_t>(time));
        text.insert(text.end(), row.end() - fresh, row.end());
    }
    if (!fits) position_ = 0;

    const int64_t now = kept + fresh - position_;
    Tensor part = Tensor::empty({rows, now}, Dtype::i32);
    int32_t* to = part.data<int32_t>();
    for (const auto& text : texts_) to = std::copy(text.end() - now, text.end(), to);
    return advance(part);
}

// As GPT::hidden() and head(), for ids [R, T] that stand at position_ ...: several at position 0,
// or one.
Tensor GPTSteps::advance(const Tensor& ids) {
    const Scope in(model_.name());
    const int64_t R = ids.size(0), T = ids.size(1), D = model_.options_.dim,
                  context = model_.options_.context, heads = model_.options_.heads;
    const Tensor lengths = Tensor::full({R}, static_cast<double>(position_ + T), Dtype::i32);
    Tensor x = model_.embed(ids, position_);  // [R, T, D]
    auto cache = cache_.begin();
    for (GPT::Block& block : model_.h_)
        x = block.forward(x, [&](const Tensor& qkv) {
            Tensor& kv = *cache++;
            if (!kv.defined() || kv.size(0) != R)
                kv = Tensor::empty({R, context, 2 * D}, qkv.dtype());
            dispatch("gpt", qkv.dtype(), [&](auto zero) {
                using N = decltype(zero);
                for (int64_t i = 0; i < R * T; ++i)
                    std::copy_n(qkv.data<N>() + i * 3 * D + D, 2 * D,
                                kv.data<N>() + (i / T * context + position_ + i % T) * 2 * D);
            });
            if (position_ == 0) return self_attention(qkv, heads, {.causal = true}).y;
            return cross_attention(slice(qkv, 2, 0, D), kv, heads, {.key_lengths = lengths}).y;
        });
    position_ += T;
    const std::vector<int32_t> last(static_cast<size_t>(R), static_cast<int32_t>(T - 1));
    return model_.head(model_.ln_f_(at_positions(x, last)));
}

void GPTSteps::reorder(const Tensor& rows) {
    const int64_t D2 = 2 * model_.options_.dim, context = model_.options_.context;
    std::vector<std::vector<int32_t>> texts;
    for (const int32_t row : rows.values<int32_t>())
        texts.push_back(texts_.at(static_cast<size_t>(row)));
    texts_ = std::move(texts);
    for (Tensor& kv : cache_) {
        if (!kv.defined()) continue;
        Tensor next = Tensor::empty({rows.size(), context, D2}, kv.dtype());
        dispatch("gpt", kv.dtype(), [&](auto zero) {
            using N = decltype(zero);
            for (int64_t r = 0; r < rows.size(); ++r)
                std::copy_n(kv.data<N>() + rows.data<int32_t>()[r] * context * D2, position_ * D2,
                            next.data<N>() + r * context * D2);
        });
        kv = next;
    }
}

Tensor generate(GPT& model, const Tensor& prompts, int64_t count,
                const nn::SamplingOptions& options, Rng& rng, const nn::TokenListener& listener) {
    const nn::Evaluating scope(model);
    GPTSteps steps(model);
    return nn::generate(steps, prompts, count, options, rng, listener);
}

double nats_per_token(GPT& model, const Tensor& ids) {
    check(ids.rank() == 1 && ids.size() >= 2, "nats_per_token",
          "ids have shape {}; a text of at least two, [N], expected", ids.shape());
    constexpr int64_t kRows = 32;
    constexpr int32_t kIgnored = CrossEntropy{}.ignore_index;
    const int64_t predictions = ids.size() - 1, T = std::min(model.options().context, predictions);
    const int64_t apart = std::max<int64_t>(1, T / 2), rest = predictions - T;
    const int64_t windows = 1 + (rest + apart - 1) / apart;  // of the last one more may be known
    const nn::Evaluating scope(model);
    const int32_t* text = ids.data<int32_t>();
    double nats = 0;
    int64_t predicted = 0;  // so many of the predictions
    for (int64_t first = 0; first < windows; first += kRows) {
        const int64_t rows = std::min(kRows, windows - first), before = predicted;
        Tensor x = Tensor::empty({rows, T}, Dtype::i32), y = Tensor::empty({rows, T}, Dtype::i32);
        for (int64_t r = 0; r < rows; ++r) {
            const int64_t begin = std::min((first + r) * apart, rest);
            for (int64_t t = 0; t < T; ++t) {
                x.data<int32_t>()[r * T + t] = text[begin + t];
                y.data<int32_t>()[r * T + t] =
                    begin + t < predicted ? kIgnored : text[begin + t + 1];
            }
            predicted = begin + T;
        }
        nats += nn::cross_entropy(model(x), y).item() * static_cast<double>(predicted - before);
    }
    return nats / static_cast<double>(predictions);
}

GPTClassifier::GPTClassifier(const GPTOptions& options, int64_t classes)
    : Module("gpt_classifier"), transformer(options), score(options.dim, classes, false) {
    children({{"transformer", transformer}, {"score", score}});
    nn::init::normal(score.weight, 0, 0.02);
}

Tensor GPTClassifier::operator()(const Tensor& ids, const Tensor& lengths) {
    const Scope in(name());
    const Tensor states = transformer.hidden(ids);  // [B, T, D]
    const int64_t B = ids.size(0), T = ids.size(1);
    std::vector<int32_t> last(static_cast<size_t>(B), static_cast<int32_t>(T - 1));
    if (lengths.defined()) {
        check(lengths.shape() == Shape{B}, "lengths", "have shape {}; [{}] expected",
              lengths.shape(), B);
        for (size_t b = 0; b < last.size(); ++b) {
            const int32_t length = lengths.values<int32_t>()[b];
            check(length >= 1 && length <= T, "lengths", "row {} has length {}; 1 ... {} expected",
                  b, length, T);
            last[b] = length - 1;
        }
    }
    return score(at_positions(states, last));
}

nn::StateDict gpt2_weights(const nn::StateDict& file) {
    constexpr std::string_view kPrefix = "transformer.";
    nn::StateDict result;
    for (const auto& [path, x] : file) {
        const std::string name = path.starts_with(kPrefix) ? path.substr(kPrefix.size()) : path;
        const auto ends_with = [&](auto... ends) { return (name.ends_with(ends) || ...); };
        if (ends_with("lm_head.weight", ".attn.bias", ".attn.masked_bias")) continue;
        const bool turned =
            ends_with(".c_attn.weight", ".c_proj.weight", ".c_fc.weight") && x.rank() == 2;
        result.emplace(name, turned ? transpose(x) : x);
    }
    return result;
}

}  // namespace gradus::models
