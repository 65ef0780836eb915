import Datasets
import Models

extension Recipe {
    /// The phase that learns relations: described by samples, split and seed, and by nothing of the labels,
    /// so that every label noise and every method of a comparison share it.
    ///
    /// The split is part of it, because the encoder learns from the training samples only; classes enter
    /// a split (it is stratified), which is why `samplesHash` is that of the data as it came.
    func encoderPhase(samplesHash: String, compute: ComputeOptions) -> PhaseSpec? {
        guard let options = relation?.encoder else { return nil }
        var (data, training) = (data, training)
        data.cleanValidation = false
        data.cleanMetaValidation = nil
        training.epochs = options.epochs
        training.batch = options.batch
        training.augmentation = .none
        training.average = 0
        training.patience = nil
        training.selection = .accuracy
        // What is in `model`, `optimizer` and `schedule` is not said a second time.
        var target = options
        target.model = nil
        return PhaseSpec(
            name: "relations", index: 0, seed: seed, data: data, dataHash: samplesHash,
            noise: LabelNoise(.clean), model: options.model ?? model, target: .relations(target),
            optimizer: options.optimizer, schedule: options.schedule, training: training,
            compute: compute)
    }
}

extension PhaseSpec.Relation {
    /// - Parameter continues: whether the phase starts from another phase's weights already, which
    ///   then stay.
    init?(_ options: RelationOptions, encoder: PhaseSpec, continues: Bool) {
        guidance = options.guidance
        start = continues ? .fresh : options.start
        self.encoder = .phase(key: encoder.key, .last)
        if !guidance.isOn, start == .fresh { return nil }
    }
}
