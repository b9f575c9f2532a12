#include "models/seq2seq.h"

namespace gradus::models {
namespace {

Seq2SeqOptions checked(const Seq2SeqOptions& o) {
    check(o.source_vocab > 0 && o.target_vocab > 0 && o.dim > 0 && o.hidden > 0, "seq2seq",
          "vocabularies {} and {}, dim {}, hidden {}; at least 1 of each expected", o.source_vocab,
          o.target_vocab, o.dim, o.hidden);
    check(o.decoder >= 0, "seq2seq",
          "a decoder of width {}; 0 (as wide as hidden) or more expected", o.decoder);
    Seq2SeqOptions options = o;
    if (o.decoder == 0) options.decoder = o.hidden;
    return options;
}

std::unique_ptr<nn::Recurrent> make_encoder(const Seq2SeqOptions& o) {
    const nn::RecurrentOptions both_ways{.bidirectional = true};
    if (o.cell == Cell::lstm) return std::make_unique<nn::LSTM>(o.dim, o.hidden, both_ways);
    if (o.cell == Cell::gru) return std::make_unique<nn::GRU>(o.dim, o.hidden, both_ways);
    return std::make_unique<nn::RNN>(
        o.dim, o.hidden, both_ways,
        o.cell == Cell::rnn_relu ? nn::Nonlinearity::relu : nn::Nonlinearity::tanh);
}

int64_t head_inputs(const Seq2SeqOptions& o) { return o.decoder + 2 * o.hidden + o.dim; }

}  // namespace

Seq2Seq::Seq2Seq(const Seq2SeqOptions& given)
    : Module("seq2seq"),
      options_(checked(given)),
      src_(given.source_vocab, given.dim),
      dst_(given.target_vocab, given.dim),
      dropout_(given.dropout),
      enc_(make_encoder(given)),
      bridge_(2 * given.hidden, options_.decoder, true, Activation::tanh),
      cell_(given.cell, given.dim + 2 * given.hidden, options_.decoder),
      head_(given.maxout ? options_.decoder : head_inputs(options_), given.target_vocab) {
    const Seq2SeqOptions& o = options_;
    children({{"src", src_}, {"dst", dst_}, {"enc", *enc_}, {"bridge", bridge_}, {"cell", cell_}});
    if (o.attention) {
        attention_ =
            std::make_unique<nn::EncoderAttention>(*o.attention, o.decoder, 2 * o.hidden, o.hidden);
        child("attention", *attention_);
    }
    if (o.maxout) {
        maxout_ = std::make_unique<nn::Linear>(head_inputs(o), 2 * o.decoder);
        child("maxout", *maxout_);
    }
    child("head", head_);
    if (o.dropout > 0) child("dropout", dropout_);
}

Seq2Seq::Memory Seq2Seq::encode(const Tensor& source, const Tensor& lengths) {
    const Scope in(name());
    const auto [states, last] = (*enc_)(dropout_(src_(source)), {}, lengths);  // [B, S, K]
    const int64_t B = source.size(0), H = options_.hidden;
    const Tensor ends = reshape(transpose(last.h, 0, 1), {B, 2 * H});  // [h→_S ; h←_1]
    Memory memory{.states = {}, .context = ends, .start = {bridge_(ends), {}}};
    if (attention_) memory.states = attention_->remember(states, lengths);
    return memory;
}

Seq2Seq::Step Seq2Seq::advance(const Tensor& embedded, const nn::RecurrentState& before,
                               const Memory& memory) {
    Step step;
    step.context = memory.context;
    if (attention_) {
        const int64_t B = before.h.size(0), K = 2 * options_.hidden;
        const auto attended =
            (*attention_)(reshape(before.h, {B, 1, options_.decoder}), memory.states);
        step.context = reshape(attended.y, {B, K});
        step.weights = attended.weights;
    }
    step.state = cell_(concat({embedded, step.context}, -1), before);
    return step;
}

Tensor Seq2Seq::head(const Tensor& s, const Tensor& context, const Tensor& embedded) {
    const Tensor x = dropout_(concat({s, context, embedded}, -1));
    if (!maxout_) return head_(x);
    Shape pairs = x.shape();
    pairs[-1] = options_.decoder;
    pairs.append(2);
    return head_(max(reshape((*maxout_)(x), pairs), -1));
}

Tensor Seq2Seq::decode(const Tensor& ids, const Memory& memory, const Decoding& how) {
    const Scope in(name());
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [B, T] with at least one step expected", ids.shape());
    check(how.own_share >= 0 && how.own_share <= 1 && (how.own_share == 0 || how.rng), "seq2seq",
          "own_share is {}: 0 ... 1, and a generator with it, expected", how.own_share);
    const int64_t B = ids.size(0), T = ids.size(1), E = options_.dim;
    Tensor embedded = dropout_(dst_(ids));    // [B, T, E]
    if (!attention_ && how.own_share == 0) {  // all that the steps read is known: one op for all
        const int64_t K = 2 * options_.hidden;
        const Tensor contexts = broadcast_to(reshape(memory.context, {B, 1, K}), {B, T, K});
        const auto run = recurrent(options_.cell, concat({embedded, contexts}, -1), cell_.weights(),
                                   memory.start.h, memory.start.c);
        return head(run.y, contexts, embedded);
    }
    nn::RecurrentState state = memory.start;
    std::vector<Tensor> s, contexts, read, weights;
    for (int64_t t = 0; t < T; ++t) {
        Tensor now = reshape(slice(embedded, 1, t, t + 1), {B, E});
        if (t > 0 && how.own_share > 0 && how.rng->uniform() < how.own_share)
            now = dropout_(dst_(argmax(head(s.back(), contexts.back(), read.back()))));
        const Step step = advance(now, state, memory);
        state = step.state;
        read.push_back(now), s.push_back(state.h), contexts.push_back(step.context);
        if (how.weights) weights.push_back(step.weights);
    }
    if (how.weights && attention_) *how.weights = concat(weights, 1);
    if (how.own_share > 0) embedded = stack(read, 1);
    return head(stack(s, 1), stack(contexts, 1), embedded);
}

Seq2SeqSteps::Seq2SeqSteps(Seq2Seq& model, Seq2Seq::Memory memory)
    : model_(model), memory_(std::move(memory)), state_(memory_.start) {}

Tensor Seq2SeqSteps::step(const Tensor& tokens) {
    const Scope in(model_.name());
    const Tensor embedded = model_.dst_(tokens);  // [R, E]
    const Seq2Seq::Step step = model_.advance(embedded, state_, memory_);
    state_ = step.state;
    weights_ = step.weights;
    return model_.head(state_.h, step.context, embedded);
}

void Seq2SeqSteps::reorder(const Tensor& rows) {
    const auto keep = [&](Tensor& x) {
        if (x.defined()) x = index_select(x, 0, rows);
    };
    keep(state_.h), keep(state_.c), keep(memory_.context);
    keep(memory_.states.keys), keep(memory_.states.states), keep(weights_);
    if (!memory_.states.lengths.defined()) return;
    Tensor lengths = Tensor::empty({rows.size()}, Dtype::i32);
    for (int64_t r = 0; r < rows.size(); ++r)
        lengths.data<int32_t>()[r] =
            memory_.states.lengths.data<int32_t>()[rows.data<int32_t>()[r]];
    memory_.states.lengths = lengths;
}

}  // namespace gradus::models
