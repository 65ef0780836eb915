import ArgumentParser
import Datasets
import Diagnostics
import Files
import Training

/// How to read a table, where it differs from what the network was trained on.
struct TableArguments: ParsableArguments {
    @Option(help: "Its label column, by name or index; that of training if not given.")
    var labelColumn: String?

    @Option(help: "Its text column, by name or index; that of training if not given.")
    var textColumn: String?

    @Option(
        help: "A column to carry into the output, by name or index; that of training if not given.")
    var idColumn: String?

    @Option(help: "comma, tab or semicolon; found by the columns of training if not given.")
    var delimiter: String?

    @Option(
        help:
            "point or comma: what stands before the fraction of a number; that of training if not given."
    )
    var decimal: String?

    @Flag(help: "The table's first line is data, not names.")
    var noHeader = false

    @Flag(help: "Quotes in the table are characters like any other (texts only).")
    var noQuotes = false

    /// The options that were given, by their names.
    var given: [String] {
        [
            ("--label-column", labelColumn != nil), ("--text-column", textColumn != nil),
            ("--id-column", idColumn != nil), ("--delimiter", delimiter != nil),
            ("--decimal", decimal != nil), ("--no-header", noHeader), ("--no-quotes", noQuotes),
        ].filter(\.1).map(\.0)
    }

    /// Refuses options of tables for anything else.
    func refuse(for what: String) throws(Problem) {
        if let option = given.first { throw .optionWithoutUse(option, for: what) }
    }

    /// As the network's own table was read, changed by what the command line says.
    ///
    /// - Parameter labelled: whether labels are wanted; identifiers are where they are not.
    func options(for card: ModelCard, labelled: Bool) throws(Problem) -> TableOptions {
        var options = card.table?.options(classNames: card.classNames) ?? unknown(card)
        let isText = card.sampleShape.count == 2
        if !isText,
            let option = given.first(where: { ["--text-column", "--no-quotes"].contains($0) })
        {
            throw .optionWithoutUse(option, for: "a network that reads no texts")
        }
        if noHeader { options.header = false }
        if noQuotes { options.quotes = false }
        if let delimiter {
            guard let known = TableOptions.Delimiter(rawValue: delimiter) else {
                throw .unknownWord(
                    "--delimiter", delimiter, TableOptions.Delimiter.allCases.map(\.rawValue))
            }
            options.delimiter = known
        }
        if let decimal {
            guard let known = TableOptions.Decimal(rawValue: decimal) else {
                throw .unknownWord(
                    "--decimal", decimal, TableOptions.Decimal.allCases.map(\.rawValue))
            }
            options.decimal = known
        }
        let unused = labelled ? ("--id-column", idColumn) : ("--label-column", labelColumn)
        if unused.1 != nil, options.layout.map({ $0.header && options.header }) ?? isText {
            throw .optionWithoutUse(
                unused.0, for: "columns that are matched by name, where all others are left out")
        }
        if let textColumn { options.text = column(textColumn) }
        if let labelColumn { options.label = column(labelColumn) }
        if let idColumn { options.id = column(idColumn) }
        return options
    }

    /// For weights that do not say how their table was read.
    private func unknown(_ card: ModelCard) -> TableOptions {
        var options = TableOptions(classNames: card.classNames)
        let shape = card.sampleShape
        if shape.count == 2, TextList.lengths.contains(shape[1]) {
            options.text = .name(card.columns?.first ?? "text")
            options.length = shape[1]
        }
        return options
    }

    private func column(_ text: String) -> TableOptions.Column {
        Int(text).map { .index($0) } ?? .name(text)
    }

    /// A table of pixels as images, where the network wants images.
    func shaped(_ data: Dataset, _ card: ModelCard) throws(Problem) -> Dataset {
        let shape = card.sampleShape
        guard shape.count == 3, !data.isImages, !data.isText else { return data }
        return try data.asImages(channels: shape[0], height: shape[1], width: shape[2])
    }
}

/// What `evaluate` measures on, where it is not the run's own data.
struct EvaluationArguments: ParsableArguments {
    @Option(help: "IDX images (.gz too).")
    var images: String?

    @Option(help: "IDX labels of --images.")
    var labels: String?

    @Option(help: "A CSV or TSV table with labels (.gz too).")
    var table: String?

    @Option(help: "A recipe whose data to use.")
    var recipe: String?

    @OptionGroup var reading: TableArguments

    /// Refuses samples that are named twice, and options that would be ignored.
    func check() throws(Problem) {
        let sources = [("--images", images), ("--table", table), ("--recipe", recipe)]
            .filter { $0.1 != nil }.map(\.0)
        if sources.count > 1 {
            throw .contradiction(sources[0], sources[1], "give one of them")
        }
        if labels != nil, images == nil { throw .optionWithoutUse("--labels", for: "no --images") }
        if images != nil, labels == nil { throw .noData() }
        if table == nil { try reading.refuse(for: "samples that are no --table") }
    }

    /// The samples, or nil if neither images nor a table is given.
    func samples(for model: SavedModel) throws(Problem) -> Dataset? {
        let names = model.card.classNames
        if let images, let labels {
            return try IDX.read(images: images, labels: labels, classNames: names)
        }
        guard let table else { return nil }
        let data = try Table.read(table, options: reading.options(for: model.card, labelled: true))
        return try reading.shaped(data, model.card)
    }
}

extension TableArguments {
    /// Samples without labels. `input` is an IDX image file or a table: what it is its content says.
    func unlabelled(_ input: String, for model: SavedModel) throws(Problem) -> Dataset {
        let bytes = try readFile(input)
        let card = model.card
        if IDX.isOne(bytes), card.columns == nil || card.sampleShape.count == 3 {
            try refuse(for: "IDX images")
            let (shape, pixels) = try IDX.images(bytes, file: input)
            return try Dataset(
                name: input,
                features: .images(
                    bytes: pixels, channels: shape[1], height: shape[2], width: shape[3]),
                labels: [Int](repeating: 0, count: shape[0]), classNames: card.classNames)
        }
        let data = try Table.unlabelled(
            bytes, file: input, options: options(for: card, labelled: false),
            classNames: card.classNames)
        return try shaped(data, card)
    }
}
