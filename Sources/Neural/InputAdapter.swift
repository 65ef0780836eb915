import Torch

/// Turns inputs that were prepared for one network into those that another was trained on: columns in
/// its order, shifted and scaled as it knows them.
public struct InputAdapter {
    private var order: Tensor?
    private var scale: Tensor?
    private var shift: Tensor?

    /// - Parameters:
    ///   - order: for each column that the network wants where it stands in the input [N, D]; nil if
    ///     they stand as it wants them.
    ///   - constants: shift and scale by channel or column, in the network's order, of the inputs and
    ///     of the network: (x · std + mean − its mean) / its std. Nil if they are the same.
    ///   - rank: dimensions of a batch: 4 for images [N, C, H, W], 2 for tables [N, D].
    public init(
        order: [Int]?,
        constants: (mean: [Float], std: [Float], itsMean: [Float], itsStd: [Float])?,
        rank: Int
    ) {
        self.order = order.map { Tensor($0, [$0.count]) }
        guard let constants else { return }
        let count = constants.mean.count
        let shape = [1, count] + [Int](repeating: 1, count: rank - 2)
        scale = Tensor(
            (0..<count).map { Double(constants.std[$0]) / Double(constants.itsStd[$0]) }
                .map { Float($0) }, shape)
        shift = Tensor(
            (0..<count).map {
                Float(
                    (Double(constants.mean[$0]) - Double(constants.itsMean[$0]))
                        / Double(constants.itsStd[$0]))
            }, shape)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
        var x = x
        if let order { x = x.indexed(1, by: order) }
        if let scale, let shift { x = x * scale + shift }
        return x
    }

    func move(to device: Device) {
        for tensor in [order, scale, shift] { tensor?.move(to: device) }
    }
}
