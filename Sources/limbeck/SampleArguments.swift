import ArgumentParser
import Datasets
import Diagnostics
import Files
import Training

/// Samples named on the command line: IDX files, a table or texts.
struct SampleArguments: ParsableArguments {
    @Option(help: "IDX images (.gz too).")
    var images: String?

    @Option(help: "IDX labels of --images.")
    var labels: String?

    @Option(help: "A CSV or TSV table.")
    var table: String?

    @Option(help: "The table's label column, by name or index; the last one if not given.")
    var labelColumn: String?

    @Option(help: "The table's text column, by name or index; that of training if not given.")
    var textColumn: String?

    @Flag(help: "Quotes in the table are characters like any other (texts only).")
    var noQuotes = false

    @Flag(help: "The table's first line is data, not names.")
    var noHeader = false

    @Option(help: "A recipe whose data to use.")
    var recipe: String?

    /// With labels, or nil if neither images nor a table is given.
    func labelled(for model: SavedModel) throws(Problem) -> Dataset? {
        if let images {
            guard let labels else { throw .noData() }
            return try IDX.read(images: images, labels: labels, classNames: model.card.classNames)
        }
        guard let table else { return nil }
        var options = tableOptions(model)
        options.label = labelColumn.map(column) ?? .index(-1)
        return try shaped(Table.read(table, options: options), model)
    }

    /// Without labels. `input` is an IDX image file or a table.
    func unlabelled(_ input: String, for model: SavedModel) throws(Problem) -> Dataset {
        let bytes = try readFile(input)
        let isIDX = bytes.starts(with: [0, 0]) || bytes.starts(with: [0x1f, 0x8b])
        if isIDX, model.card.columns == nil {
            let (shape, pixels) = try IDX.images(bytes, file: input)
            return try Dataset(
                name: input,
                features: .images(
                    bytes: pixels, channels: shape.count == 4 ? shape[1] : 1,
                    height: shape[shape.count - 2], width: shape[shape.count - 1]),
                labels: [Int](repeating: 0, count: shape[0]), classNames: model.card.classNames)
        }
        var options = tableOptions(model)
        // A table for prediction may still carry its label column: it is dropped, not used.
        if let labelColumn {
            options.dropped = [column(labelColumn)]
        }
        if let text = options.text {
            options.dropped = []
            let texts = try Table.texts(bytes, file: input, options: options)
            return try Dataset(
                name: input, features: .text(texts, column: "\(text)"),
                labels: [Int](repeating: 0, count: texts.count), classNames: model.card.classNames)
        }
        let (values, columns) = try Table.features(bytes, file: input, options: options)
        let count = columns.isEmpty ? 0 : values.count / columns.count
        let data = try Dataset(
            name: input, features: .table(values, columns: columns),
            labels: [Int](repeating: 0, count: count), classNames: model.card.classNames)
        return try shaped(data, model)
    }

    private func tableOptions(_ model: SavedModel) -> TableOptions {
        var options = TableOptions(header: !noHeader, classNames: model.card.classNames)
        let shape = model.card.sampleShape
        if shape.count == 2, TextList.lengths.contains(shape[1]) {
            options.text = textColumn.map(column) ?? .name(model.card.columns?.first ?? "text")
            options.length = shape[1]
            options.quotes = !noQuotes
        }
        return options
    }

    private func column(_ text: String) -> TableOptions.Column {
        Int(text).map { .index($0) } ?? .name(text)
    }

    /// A table of pixels as images, where the network wants images.
    private func shaped(_ data: Dataset, _ model: SavedModel) throws(Problem) -> Dataset {
        let shape = model.card.sampleShape
        guard shape.count == 3, !data.isImages, !data.isText else { return data }
        return try data.asImages(channels: shape[0], height: shape[1], width: shape[2])
    }
}
