import Datasets
import Diagnostics
import Models
import Neural
import Torch

// A network that was trained on other files than those at hand: its classes and columns are matched by
// name, and its inputs are normalised as it knows them.

extension ModelCard {
    /// Refuses a teacher that was trained on samples of another shape, or on other classes or columns.
    func checkFits(_ data: PreparedData, file: String) throws(Problem) {
        guard data.learning.isText || sampleShape == data.sampleShape else {
            throw .teacherHasOtherShape(file, sampleShape, data.sampleShape)
        }
        _ = try ClassMatch(data.learning.classNames, among: classNames, whole: true, file: file)
        let order = try data.learning.columnOrder(for: inputColumns, file: file)
        if order != nil, sampleShape.count != 1 { throw .pixelsInOtherOrder(file) }
    }

    /// Columns of the inputs in the network's order; nil where they are not known.
    var inputColumns: [String]? { table?.inputs ?? columns }

    /// Puts the rows of the head into the order of the data's classes.
    ///
    /// - Returns: what turns inputs that were prepared for `data` into those that the network was
    ///   trained on; nil where they are the same.
    func adapt(
        _ network: any Classifier, to data: PreparedData, file: String
    ) throws(Problem) -> InputAdapter? {
        let match = try ClassMatch(
            data.learning.classNames, among: classNames, whole: true, file: file)
        if !match.isIdentity {
            let rows = Tensor(match.places, [match.places.count])
            withoutGradient {
                for (_, tensor) in network.head.state {
                    tensor.copy(from: tensor.indexed(0, by: rows))
                }
            }
        }
        guard !data.learning.isText else { return nil }
        let order = try data.learning.columnOrder(for: inputColumns, file: file)
        let isTable = sampleShape.count == 1
        var own = data.normalisation
        if isTable, let order { own.move(order) }
        guard order != nil || own != normalisation else { return nil }
        return InputAdapter(
            order: isTable ? order : nil,
            constants: own == normalisation
                ? nil
                : (own.mean, own.std, normalisation.mean, normalisation.std),
            rank: sampleShape.count + 1)
    }
}

extension Normalisation {
    /// Puts the constants of columns into another order; `order[i]` is where that of column i stands.
    fileprivate mutating func move(_ order: [Int]) {
        mean = order.map { mean[$0] }
        std = order.map { std[$0] }
    }
}
