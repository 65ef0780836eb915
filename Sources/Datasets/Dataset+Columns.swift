import Diagnostics

extension Dataset {
    /// The columns that the values of a sample came from, in order: a table's, or those of the pixels
    /// where a table of pixels became images. Nil where the values came from no table, or from one
    /// without a header, whose columns have positions and no names.
    public var inputColumns: [String]? {
        if isText { return columns }
        guard let layout else { return isImages ? nil : columns }
        return layout.header ? layout.inputs : nil
    }

    /// Where each of `columns` stands among this data's, or nil where they are the same in the same
    /// order, or where one side has no names but positions. Numbers that are the same on both sides are
    /// names, and so are numbers that do not count from 0 or 1 (years).
    ///
    /// - Parameter file: of the network that wants them, for the message.
    /// - Throws: `.data` for the first column that is missing.
    public func columnOrder(for columns: [String]?, file: String) throws(Problem) -> [Int]? {
        guard let columns, let own = inputColumns, !isText, columns != own,
            columns.count == own.count
        else { return nil }
        let place = places(of: own)
        guard let missing = columns.first(where: { place[$0] == nil }) else {
            return columns.map { place[$0]! }
        }
        if firstNumber(of: columns) != nil || firstNumber(of: own) != nil { return nil }
        throw .otherColumns(name, file, missing, among: own)
    }

    /// The same samples with the values of each in another order; `order[i]` is where value i stands now.
    public func reordered(_ order: [Int]) -> Dataset {
        func moved<T>(_ values: [T]) -> [T] {
            var out: [T] = []
            out.reserveCapacity(values.count)
            for start in stride(from: 0, to: values.count, by: order.count) {
                for place in order { out.append(values[start + place]) }
            }
            return out
        }
        let features: Features =
            switch self.features {
            case .images(let bytes, let channels, let height, let width):
                .images(bytes: moved(bytes), channels: channels, height: height, width: width)
            case .table(let cells, let columns):
                .table(moved(cells), columns: order.map { columns[$0] })
            case .text: self.features
            }
        var layout = layout
        if let own = layout {
            let inputs = own.inputs
            var next = order.makeIterator()
            layout?.columns = own.columns.map { column in
                guard column.role == .feature, let place = next.next() else { return column }
                return .init(name: inputs[place], role: .feature)
            }
        }
        return try! Dataset(  // every invariant is inherited
            name: name, features: features, labels: labels, clean: clean, coarse: coarse,
            groups: groups, classNames: classNames, ids: ids, layout: layout,
            ownValidation: ownValidation)
    }
}

extension Problem {
    static func otherColumns(
        _ name: String, _ file: String, _ column: String, among own: [String]
    ) -> Problem {
        let near = Suggestion.nearest(to: column, among: Array(own.prefix(1000)))
        return Problem(
            .data, "the columns are not those that the network was trained on", at: .file(name),
            found: "no \"\(oneLine(column, limit: 40))\", which \(oneLine(file, limit: 200)) wants",
            hint: near.map { "rename the column \"\(oneLine($0, limit: 40))\"" })
    }
}
