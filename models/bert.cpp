#include "models/bert.h"

#include "nn/init.h"

namespace gradus::models {
namespace {

constexpr double kEps = 1e-12;

BERTOptions checked(const BERTOptions& o) {
    check(o.vocab > 0 && o.positions > 0 && o.types > 0 && o.dim > 0 && o.layers > 0 && o.ff > 0,
          "bert",
          "a vocabulary of {} tokens, {} positions, {} types, width {}, {} layers, ff {}; at least "
          "1 of each expected",
          o.vocab, o.positions, o.types, o.dim, o.layers, o.ff);
    check(o.heads > 0 && o.dim % o.heads == 0, "bert",
          "a width of {} does not divide into {} heads", o.dim, o.heads);
    return o;
}

void initialise(const nn::Module& module) {
    for (const auto& [path, x] : module.named_parameters()) {
        if (x.rank() == 2) nn::init::trunc_normal(x, 0, 0.02, -0.04, 0.04);
        if (path.ends_with("bias")) nn::init::zeros(x);
    }
}

}  // namespace

BERT::Layer::Layer(const BERTOptions& o)
    : query(o.dim, o.dim),
      key(o.dim, o.dim),
      value(o.dim, o.dim),
      attended(o.dim, o.dim),
      attended_norm(o.dim, kEps),
      up(o.dim, o.ff, true, Activation::gelu),
      down(o.ff, o.dim),
      norm(o.dim, kEps),
      dropout(o.dropout),
      heads(o.heads) {
    children({{"attention.self.query", query},
              {"attention.self.key", key},
              {"attention.self.value", value},
              {"attention.output.dense", attended},
              {"attention.output.LayerNorm", attended_norm},
              {"intermediate.dense", up},
              {"output.dense", down},
              {"output.LayerNorm", norm}});
    if (o.dropout > 0) child("dropout", dropout);
}

Tensor BERT::Layer::forward(const Tensor& x, const AttentionMask& mask, std::vector<Tensor>* maps) {
    const Scope in(name());
    const auto [y, weights] = scaled_dot_product_attention(query(x), key(x), value(x), heads, mask);
    if (maps) maps->push_back(weights);
    const Tensor z = attended_norm(x + dropout(attended(y)));
    return norm(z + dropout(down(up(z))));
}

BERT::BERT(const BERTOptions& o)
    : Module("bert"),
      options_(checked(o)),
      words_(o.vocab, o.dim),
      positions_(o.positions, o.dim),
      types_(o.types, o.dim),
      norm_(o.dim, kEps),
      dropout_(o.dropout),
      pooler_(o.dim, o.dim, true, Activation::tanh) {
    children({{"embeddings.word_embeddings", words_},
              {"embeddings.position_embeddings", positions_},
              {"embeddings.token_type_embeddings", types_},
              {"embeddings.LayerNorm", norm_}});
    if (o.dropout > 0) child("dropout", dropout_);
    for (int64_t i = 0; i < o.layers; ++i) layers_.emplace_back(o);
    child("pooler.dense", pooler_);
    initialise(*this);
}

Tensor BERT::operator()(const Tensor& ids, const Tensor& types, const Tensor& lengths,
                        std::vector<Tensor>* maps) {
    const Scope in(name());
    check(ids.rank() == 2 && ids.size(1) > 0, "ids",
          "have shape {}; [B, T] with at least one step expected", ids.shape());
    const int64_t T = ids.size(1);
    check(T <= options_.positions, "ids",
          "reach position {}, and the model has {}; cut the text, or make the model with more "
          "positions",
          T, options_.positions);
    if (types.defined())
        check(types.shape() == ids.shape(), "types", "have shape {}, ids {}; the same expected",
              types.shape(), ids.shape());
    const Tensor type = types.defined() ? types_(types) : slice(types_.weight, 0, 0, 1);
    Tensor x = words_(ids) + slice(positions_.weight, 0, 0, T) + type;  // [B, T, D]
    x = dropout_(norm_(x));
    for (Layer& layer : layers_) x = layer.forward(x, {.key_lengths = lengths}, maps);
    return x;
}

Tensor BERT::pool(const Tensor& states) {
    const Scope in(name());
    return pooler_(reshape(slice(states, 1, 0, 1), {states.size(0), options_.dim}));
}

BERTPretraining::BERTPretraining(const BERTOptions& o)
    : Module("bert_pretraining"),
      bert(o),
      transform_(o.dim, o.dim, true, Activation::gelu),
      norm_(o.dim, kEps),
      bias_(Tensor::zeros({o.vocab})),
      next_(o.dim, 2) {
    children({{"bert", bert},
              {"cls.predictions.transform.dense", transform_},
              {"cls.predictions.transform.LayerNorm", norm_}});
    parameter("cls.predictions.bias", bias_);
    child("cls.seq_relationship", next_);
    initialise(transform_);
    initialise(next_);
}

Tensor BERTPretraining::masked_words(const Tensor& states, const Tensor& at) {
    const Scope in(name());
    const Tensor flat = reshape(states, {states.size(0) * states.size(1), states.size(2)});
    const Tensor x = index_select(flat, 0, at);  // [n, D]
    return linear(norm_(transform_(x)), bert.words_.weight, bias_);
}

Tensor BERTPretraining::next_sentence(const Tensor& states) {
    const Scope in(name());
    return next_(bert.pool(states));
}

// The mean over each row's first lengths[b] states, [B, T, D] -> [B, D].
static Tensor mean_state(const Tensor& states, const Tensor& lengths) {
    if (!lengths.defined()) return mean(states, {1});
    const int64_t B = states.size(0), T = states.size(1);
    Tensor shares = Tensor::zeros({B, 1, T}, states.dtype());
    for (int64_t b = 0; b < B; ++b)
        for (int64_t t = 0; t < lengths.data<int32_t>()[b]; ++t)
            shares.set(b * T + t, 1.0 / lengths.data<int32_t>()[b]);
    return reshape(matmul(shares, states), {B, states.size(2)});
}

BERTClassifier::BERTClassifier(const BERTOptions& o, int64_t classes, Reads reads)
    : Module("bert_classifier"),
      bert(o),
      classifier(o.dim, classes),
      reads_(reads),
      dropout_(o.dropout) {
    children({{"bert", bert}, {"classifier", classifier}});
    if (o.dropout > 0) child("dropout", dropout_);
    initialise(classifier);
}

Tensor BERTClassifier::operator()(const Tensor& ids, const Tensor& types, const Tensor& lengths) {
    const Scope in(name());
    const Tensor states = bert(ids, types, lengths);
    return classifier(
        dropout_(reads_ == Reads::cls ? bert.pool(states) : mean_state(states, lengths)));
}

nn::StateDict bert_weights(const nn::StateDict& file) {
    nn::StateDict result;
    for (const auto& [path, x] : file) {
        if (path.ends_with("position_ids") || path.starts_with("cls.predictions.decoder."))
            continue;
        std::string name = path;
        const auto rename = [&](std::string_view from, std::string_view to) {
            if (name.ends_with(from)) name.replace(name.size() - from.size(), from.size(), to);
        };
        rename("LayerNorm.gamma", "LayerNorm.weight");
        rename("LayerNorm.beta", "LayerNorm.bias");
        result.emplace(name, x);
    }
    return result;
}

}  // namespace gradus::models
