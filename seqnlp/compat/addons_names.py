"""What replaces each public name of TensorFlow Addons 0.23, in seqnlp or in Keras 3.

Names are those below `tensorflow_addons`, each under its shortest path: what `REPLACEMENTS`
maps to the new name, None where there is none, and a word on the difference; and what stands
in `WITHOUT`, by package.
"""

MASK = "sequence_lengths becomes mask: keras.ops.arange(time) < sequence_lengths[:, None]"
_DECAY = "decay is multiplied by the learning rate: divide Addons' by it"
_ATTENTION = (
    "memory and queries are arguments: call it with (query, value, value_mask) for all steps, or "
    "ask memory(value, value_mask) once and attend(query, memory) at each; gives context, weights"
)
_MONOTONIC = (
    "alignment='monotonic', 'monotonic-recursive' or 'monotonic-hard' (which trains softly); "
    "score_bias_init becomes score_bias"
)
_STEP = "decoders take a step(token_ids, state) -> (logits, state) in place of a class"
_EMA = "give the optimizer use_ema=True and ema_momentum"
_FOCAL = "apply_class_balancing=True; the mean over the last axis where Addons takes the sum"
_SPARSEMAX = "keras.activations.sparsemax (Keras 3.15) gives rows that do not sum to 1"
_POOLING = "since Keras 3.13; on JAX 3.15 gives NaN where an axis keeps its size"

REPLACEMENTS = {
    # activations
    "activations.gelu": ("keras.activations.gelu", "Addons' default is approximate=True"),
    "activations.hardshrink": ("keras.activations.hard_shrink", "lower, upper become threshold"),
    "activations.mish": ("keras.activations.mish", ""),
    "activations.softshrink": ("keras.activations.soft_shrink", "lower, upper become threshold"),
    "activations.sparsemax": (None, _SPARSEMAX),
    "activations.tanhshrink": ("keras.activations.tanh_shrink", ""),
    "activations.lisht": (None, "write x * keras.ops.tanh(x)"),
    "activations.snake": (None, "write x + keras.ops.sin(frequency * x) ** 2 / frequency"),
    # callbacks
    "callbacks.AverageModelCheckpoint": ("keras.callbacks.SwapEMAWeights", _EMA),
    "callbacks.TQDMProgressBar": ("keras.callbacks.ProgbarLogger", "what fit shows by itself"),
    # image
    "image.equalize": ("keras.layers.Equalization", "a layer; value_range says the scale"),
    "image.gaussian_filter2d": (
        None,
        "keras.ops.image.gaussian_blur has zeros beyond the border; Addons reflects the image",
    ),
    "image.interpolate_bilinear": ("keras.ops.image.map_coordinates", "order=1; no batch axis"),
    "image.resampler": ("keras.ops.image.map_coordinates", "order=1; no batch axis"),
    "image.random_cutout": ("keras.layers.RandomErasing", "a layer; sizes are fractions"),
    "image.rotate": (
        "keras.ops.image.affine_transform",
        "write the angle as a transform, one an image",
    ),
    "image.transform": (
        "keras.ops.image.affine_transform",
        "one transform an image; interpolation in lower case",
    ),
    "image.translate": (
        "keras.ops.image.affine_transform",
        "[1, 0, -dx, 0, 1, -dy, 0, 0], one an image",
    ),
    # layers
    "layers.AdaptiveAveragePooling1D": ("keras.layers.AdaptiveAveragePooling1D", _POOLING),
    "layers.AdaptiveAveragePooling2D": ("keras.layers.AdaptiveAveragePooling2D", _POOLING),
    "layers.AdaptiveAveragePooling3D": ("keras.layers.AdaptiveAveragePooling3D", _POOLING),
    "layers.AdaptiveMaxPooling1D": ("keras.layers.AdaptiveMaxPooling1D", _POOLING),
    "layers.AdaptiveMaxPooling2D": ("keras.layers.AdaptiveMaxPooling2D", _POOLING),
    "layers.AdaptiveMaxPooling3D": ("keras.layers.AdaptiveMaxPooling3D", _POOLING),
    "layers.CRF": (
        "seqnlp.layers.CRF",
        "put a keras.layers.Dense(units) before it (use_kernel); gives a dict; CRFModel holds "
        "the loss; seqnlp.compat.tfa.load_crf takes the weights over",
    ),
    "layers.GELU": ("keras.layers.Activation", "Activation('gelu')"),
    "layers.GroupNormalization": ("keras.layers.GroupNormalization", ""),
    "layers.InstanceNormalization": ("keras.layers.GroupNormalization", "groups=-1"),
    "layers.MultiHeadAttention": (
        "keras.layers.MultiHeadAttention",
        "head_size: key_dim; query, value, key are arguments, not a list",
    ),
    "layers.Sparsemax": (None, _SPARSEMAX),
    "layers.SpectralNormalization": ("keras.layers.SpectralNormalization", ""),
    "layers.EmbeddingBag": (None, "keras.layers.Embedding, then a weighted sum"),
    "layers.Maxout": (None, "reshape to (..., units, pieces) and keras.ops.max"),
    "layers.Snake": (None, "a layer with the formula of tfa.activations.snake"),
    # losses
    "losses.SigmoidFocalCrossEntropy": ("keras.losses.BinaryFocalCrossentropy", _FOCAL),
    "losses.sigmoid_focal_crossentropy": ("keras.losses.binary_focal_crossentropy", _FOCAL),
    "losses.PinballLoss": (None, "mean of keras.ops.maximum(tau * d, (tau - 1) * d), d = y - p"),
    "losses.pinball_loss": (None, "mean of keras.ops.maximum(tau * d, (tau - 1) * d), d = y - p"),
    # metrics
    "metrics.F1Score": ("keras.metrics.F1Score", "without num_classes"),
    "metrics.FBetaScore": ("keras.metrics.FBetaScore", "without num_classes"),
    "metrics.MeanMetricWrapper": ("keras.metrics.MeanMetricWrapper", ""),
    "metrics.PearsonsCorrelation": (
        None,
        "keras.metrics.PearsonCorrelation is the mean of the correlations within each example",
    ),
    "metrics.RSquare": ("keras.metrics.R2Score", "multioutput: class_aggregation"),
    # optimizers
    "optimizers.AdamW": ("keras.optimizers.AdamW", f"weight_{_DECAY}"),
    "optimizers.SGDW": ("keras.optimizers.SGD", f"weight_{_DECAY}"),
    "optimizers.DecoupledWeightDecayExtension": (
        "keras.optimizers.Optimizer",
        f"every optimizer takes weight_decay; {_DECAY}",
    ),
    "optimizers.extend_with_decoupled_weight_decay": (
        "keras.optimizers.Optimizer",
        f"every optimizer takes weight_decay; {_DECAY}",
    ),
    "optimizers.KerasLegacyOptimizer": ("keras.optimizers.Optimizer", "Keras 3 has one kind"),
    "optimizers.LAMB": (
        "keras.optimizers.Lamb",
        "weight_decay lies outside the trust ratio; epsilon is 1e-7 by default, Addons' 1e-6; "
        "exclude_from_weight_decay is a method",
    ),
    "optimizers.LazyAdam": ("keras.optimizers.Adam", "updates all rows, not the used ones alone"),
    "optimizers.MovingAverage": ("keras.optimizers.Optimizer", _EMA),
    "optimizers.AveragedOptimizerWrapper": ("keras.optimizers.Optimizer", _EMA),
    "optimizers.CyclicalLearningRate": (
        "keras.optimizers.schedules.LearningRateSchedule",
        "write a subclass",
    ),
    "optimizers.ExponentialCyclicalLearningRate": (
        "keras.optimizers.schedules.LearningRateSchedule",
        "write a subclass",
    ),
    "optimizers.TriangularCyclicalLearningRate": (
        "keras.optimizers.schedules.LearningRateSchedule",
        "write a subclass",
    ),
    "optimizers.Triangular2CyclicalLearningRate": (
        "keras.optimizers.schedules.LearningRateSchedule",
        "write a subclass",
    ),
    # seq2seq
    "seq2seq.BahdanauAttention": ("seqnlp.layers.BahdanauAttention", _ATTENTION),
    "seq2seq.BahdanauMonotonicAttention": (
        "seqnlp.layers.BahdanauAttention",
        f"{_MONOTONIC}; else as BahdanauAttention",
    ),
    "seq2seq.LuongAttention": (
        "seqnlp.layers.LuongAttention",
        f"score='general', whose units are the query's; scale becomes learn_scale; {_ATTENTION}",
    ),
    "seq2seq.LuongMonotonicAttention": (
        "seqnlp.layers.LuongAttention",
        f"{_MONOTONIC}; else as LuongAttention",
    ),
    "seq2seq.monotonic_attention": (
        "seqnlp.layers.monotonic_weights",
        "(p, 1 - p, previous_attention); its parallel form does not clip; "
        "hard_monotonic_weights(p == 1, previous_attention) is mode='hard'",
    ),
    "seq2seq.AttentionWrapper": (
        "seqnlp.layers.RNNDecoder",
        "attend='after'; readout and input_feeding say what is written and fed; "
        "seqnlp.compat.tfa.load_attention_wrapper takes the weights over and lists the forms",
    ),
    "seq2seq.AttentionWrapperState": (
        "seqnlp.layers.RNNDecoder",
        "what initial_state gives: layers, fed and alignment in a dict",
    ),
    "seq2seq.BasicDecoder": (
        "seqnlp.models.RNNSeq2Seq",
        "call it to train; seqnlp.decoding decodes with its initial_state and step",
    ),
    "seq2seq.BasicDecoderOutput": (
        "seqnlp.decoding.Decoded",
        "token_ids; in training the model gives the logits alone",
    ),
    "seq2seq.BaseDecoder": (None, _STEP),
    "seq2seq.Decoder": (None, _STEP),
    "seq2seq.dynamic_decode": ("seqnlp.decoding.greedy", _STEP),
    "seq2seq.TrainingSampler": (
        "seqnlp.models.RNNSeq2Seq",
        "call it with the target ids, 0 at padding in place of sequence_length",
    ),
    "seq2seq.ScheduledEmbeddingTrainingSampler": (
        "seqnlp.models.RNNSeq2Seq",
        "sampling_probability becomes scheduled_sampling, a number",
    ),
    "seq2seq.GreedyEmbeddingSampler": (
        "seqnlp.decoding.greedy",
        "(step, state, start_ids, end_id, max_length); lengths do not count the end id",
    ),
    "seq2seq.SampleEmbeddingSampler": (
        "seqnlp.decoding.sample",
        "softmax_temperature becomes temperature; lengths do not count the end id",
    ),
    "seq2seq.BeamSearchDecoder": (
        "seqnlp.decoding.beam_search",
        "length_penalty, coverage_penalty with source_mask; tile nothing; both penalties count "
        "for unfinished hypotheses too, and lengths do not count the end id",
    ),
    "seq2seq.BeamSearchDecoderOutput": (
        "seqnlp.decoding.Decoded",
        "scores of the last step alone",
    ),
    "seq2seq.FinalBeamSearchDecoderOutput": (
        "seqnlp.decoding.Decoded",
        "token_ids are (batch, beams, time), with 0 behind the end id",
    ),
    "seq2seq.gather_tree": (None, "seqnlp.decoding.beam_search gives whole hypotheses"),
    "seq2seq.gather_tree_from_array": (
        None,
        "seqnlp.decoding.beam_search gives alignments in the order of its hypotheses",
    ),
    "seq2seq.sampler.categorical_sample": ("keras.random.categorical", "one sample a row: [:, 0]"),
    "seq2seq.SequenceLoss": (
        "seqnlp.losses.SequenceCrossEntropy",
        "(labels, logits) with labels of 0 at padding; as for sequence_loss",
    ),
    "seq2seq.sequence_loss": (
        "seqnlp.losses.SequenceCrossEntropy",
        "SequenceCrossEntropy()(labels, logits) with labels of 0 where the mask is; for other "
        "weights of tokens keras.losses.SparseCategoricalCrossentropy(from_logits=True, "
        "reduction='mean_with_sample_weight')(targets, logits, sample_weight=weights); for other "
        "averages reduce seqnlp.losses.token_cross_entropy",
    ),
    "seq2seq.hardmax": (None, "keras.ops.one_hot(keras.ops.argmax(logits, -1), depth)"),
    "seq2seq.tile_batch": ("keras.ops.repeat", "axis=0"),
    # text
    "text.CRFModelWrapper": (
        "seqnlp.models.CRFModel",
        "a functional model whose output is that of seqnlp.layers.CRF; loss is per token",
    ),
    "text.crf_sequence_score": (
        "seqnlp.layers.crf_sequence_score",
        f"(potentials, tags, mask, transitions); {MASK}",
    ),
    "text.crf_log_norm": (
        "seqnlp.layers.crf_log_norm",
        f"(potentials, mask, transitions); {MASK}",
    ),
    "text.crf_log_likelihood": (
        "seqnlp.layers.crf_log_likelihood",
        "(potentials, tags, mask, transitions); gives the likelihood alone, and makes no "
        f"transitions; {MASK}",
    ),
    "text.crf_decode": (
        "seqnlp.layers.crf_decode",
        f"(potentials, mask, transitions), the mask in second place; {MASK}",
    ),
    "text.viterbi_decode": (
        "seqnlp.layers.crf_decode",
        "(score[None], None, transition_params); gives tensors with a batch axis",
    ),
    "text.crf_forward": ("seqnlp.layers.crf_log_norm", f"gives the sum alone; {MASK}"),
    "text.crf_unary_score": (
        "seqnlp.layers.crf_sequence_score",
        f"with zeros as transitions; {MASK}",
    ),
    "text.crf_binary_score": (
        "seqnlp.layers.crf_sequence_score",
        f"with zeros as potentials; {MASK}",
    ),
    "text.crf_decode_forward": ("seqnlp.layers.crf_decode", "which does both directions"),
    "text.crf_decode_backward": ("seqnlp.layers.crf_decode", "which does both directions"),
    "text.CrfDecodeForwardRnnCell": ("seqnlp.layers.crf_decode", "which does both directions"),
    "text.crf_multitag_sequence_score": (
        "seqnlp.layers.crf_log_norm",
        "(potentials, mask, transitions, allowed=tag_bitmap); crf_partial_log_likelihood is its "
        f"difference to the log norm; {MASK}",
    ),
    "text.crf_constrained_decode": (
        "seqnlp.layers.crf_decode",
        f"(potentials, mask, transitions, allowed=tag_bitmap); {MASK}",
    ),
    "text.crf_filtered_inputs": (
        "seqnlp.layers.crf_log_norm",
        "every function of the CRF takes allowed",
    ),
    # options and registration
    "register_all": (None, "delete it: Keras knows its own classes"),
}
# What neither seqnlp nor Keras 3 has, in this or another form.
WITHOUT = {
    "activations": ("rrelu"),
    "callbacks": ("TimeStopping"),
    "image": (
        "adjust_hsv_in_yiq angles_to_projective_transforms blend compose_transforms "
        "connected_components cutout dense_image_warp "
        "dense_image_warp.dense_image_warp_annotated euclidean_dist_transform "
        "interpolate_spline mean_filter2d median_filter2d random_hsv_in_yiq sharpness "
        "shear_x shear_y sparse_image_warp transform_ops.flat_transforms_to_matrices "
        "transform_ops.matrices_to_flat_transforms translate_xy "
        "translations_to_projective_transforms utils.from_4D_image utils.get_ndims "
        "utils.to_4D_image utils.unwrap utils.wrap"
    ),
    "layers": (
        "CorrelationCost ESN FilterResponseNormalization MaxUnpooling2D MaxUnpooling2DV2 "
        "NoisyDense PoincareNormalize PolynomialCrossing SpatialPyramidPooling2D "
        "StochasticDepth TLU WeightNormalization adaptive_pooling.AdaptivePooling1D "
        "adaptive_pooling.AdaptivePooling2D adaptive_pooling.AdaptivePooling3D "
        "netvlad.NetVLAD"
    ),
    "losses": (
        "ContrastiveLoss GIoULoss LiftedStructLoss NpairsLoss NpairsMultilabelLoss "
        "SparsemaxLoss TripletHardLoss TripletSemiHardLoss WeightedKappaLoss "
        "contrastive_loss giou_loss lifted_struct_loss metric_learning.angular_distance "
        "metric_learning.pairwise_distance npairs_loss npairs_multilabel_loss "
        "sparsemax_loss sparsemax_loss.sparsemax_loss_from_logits triplet_hard_loss "
        "triplet_semihard_loss"
    ),
    "metrics": (
        "CohenKappa GeometricMean HammingLoss HarmonicMean KendallsTauB KendallsTauC "
        "MatthewsCorrelationCoefficient MultiLabelConfusionMatrix SpearmansRank "
        "hamming_distance hamming_loss_fn streaming_correlations.CorrelationBase "
        "streaming_correlations.KendallsTauBase utils.sample_weight_shape_match"
    ),
    "optimizers": (
        "AdaBelief COCOB ConditionalGradient Lookahead MultiOptimizer NovoGrad "
        "ProximalAdagrad RectifiedAdam SWA Yogi utils.fit_bn utils.get_variable_name "
        "utils.is_variable_matched_by_regexes"
    ),
    "options": (
        "disable_custom_kernel enable_custom_kernel is_custom_kernel_disabled warn_fallback"
    ),
    "register": ("register_custom_kernels register_keras_objects"),
    "rnn": ("ESNCell LayerNormLSTMCell LayerNormSimpleRNNCell NASCell PeepholeLSTMCell"),
    "seq2seq": (
        "AttentionMechanism BeamSearchDecoderState CustomSampler InferenceSampler Sampler "
        "ScheduledOutputTrainingSampler beam_search_decoder.BeamSearchDecoderMixin "
        "beam_search_decoder.attention_probs_from_attn_state "
        "beam_search_decoder.get_attention_probs safe_cumprod sampler.bernoulli_sample"
    ),
    "text": ("parse_time skip_gram_sample skip_gram_sample_with_text_vocab"),
    "types": (
        "AcceptableDTypes Activation Constraint FloatTensorLike Initializer Number "
        "Optimizer Regularizer TensorLike"
    ),
    "utils": (
        "keras_utils.LossFunctionWrapper keras_utils.assert_like_rnncell "
        "keras_utils.is_tensor_or_variable keras_utils.normalize_data_format "
        "keras_utils.normalize_tuple resource_loader.LazySO "
        "resource_loader.abi_is_compatible resource_loader.get_path_to_datafile "
        "resource_loader.get_project_root"
    ),
}

# The modules inside each package; a name that one defines and the package lists is the package's.
MODULES = {
    "activations": "gelu hardshrink lisht mish rrelu snake softshrink sparsemax tanhshrink",
    "callbacks": "average_model_checkpoint time_stopping tqdm_progress_bar",
    "image": (
        "color_ops compose_ops connected_components cutout_ops dense_image_warp "
        "distance_transform distort_image_ops filters interpolate_spline resampler_ops "
        "sparse_image_warp transform_ops translate_ops utils"
    ),
    "layers": (
        "adaptive_pooling crf embedding_bag esn gelu max_unpooling_2d max_unpooling_2d_v2 "
        "maxout multihead_attention netvlad noisy_dense normalizations optical_flow "
        "poincare polynomial snake sparsemax spatial_pyramid_pooling "
        "spectral_normalization stochastic_depth tlu wrappers"
    ),
    "losses": (
        "contrastive focal_loss giou_loss kappa_loss lifted metric_learning npairs "
        "quantiles sparsemax_loss triplet"
    ),
    "metrics": (
        "cohens_kappa f_scores geometric_mean hamming harmonic_mean "
        "matthews_correlation_coefficient multilabel_confusion_matrix r_square "
        "streaming_correlations utils"
    ),
    "optimizers": (
        "adabelief average_wrapper cocob conditional_gradient constants "
        "cyclical_learning_rate discriminative_layer_training lamb lazy_adam lookahead "
        "moving_average novograd proximal_adagrad rectified_adam "
        "stochastic_weight_averaging utils weight_decay_optimizers yogi"
    ),
    "options": "",
    "register": "",
    "rnn": (
        "esn_cell layer_norm_lstm_cell layer_norm_simple_rnn_cell nas_cell peephole_lstm_cell"
    ),
    "seq2seq": "attention_wrapper basic_decoder beam_search_decoder decoder loss sampler",
    "text": "crf crf_wrapper parse_time_op skip_gram_ops",
    "utils": "ensure_tf_install keras_utils resource_loader tfa_eol_msg types",
    "version": "",
}


def known_modules():
    """The path of every package and module, as a set."""
    inner = (f"{package}.{name}" for package in MODULES for name in MODULES[package].split())
    return {*MODULES, *inner}


def known_names():
    """Every public name, as a set."""
    names = (f"{package}.{name}" for package in WITHOUT for name in WITHOUT[package].split())
    return {*REPLACEMENTS, *names}


def replacement_of(name):
    """`(new name or None, what differs)` of a public name."""
    return REPLACEMENTS.get(name, (None, ""))
