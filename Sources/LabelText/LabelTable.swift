import Diagnostics
import Foundation
import SafeTensors

/// MiniLM vectors that are part of the program: of Fashion-MNIST, digits, CIFAR-10, CIFAR-100 and the
/// colour-and-shape task. `scripts/label-tables` makes them; each file's metadata says with which
/// prompt.
public enum LabelTable: String, CaseIterable, Sendable {
    case fashionMNIST = "fashion-mnist"
    /// `0` to `9`, as of MNIST and optdigits.
    case digits
    case cifar10
    case cifar100
    case colourShapes = "colour-shapes"

    func rows() throws(Problem) -> EmbeddingRows {
        try EmbeddingRows(
            SafeTensorsFile(
                path: Self.folder() + "/\(rawValue).safetensors", limit: EmbeddingRows.sizeLimit))
    }

    /// In the resource bundle beside the program, where the build puts it; for a program that was
    /// copied elsewhere, in the sources it was built from. (`Bundle.module` traps when there is
    /// nothing.)
    static func folder() throws(Problem) -> String {
        let program = Bundle.main
        let homes = [
            program.bundleURL, program.resourceURL,
            program.executableURL?.resolvingSymlinksInPath().deletingLastPathComponent(),
        ].compactMap { $0?.path }
        let places =
            homes.flatMap { home in
                [
                    "\(home)/limbeck_LabelText.resources", "\(home)/limbeck_LabelText.bundle",
                    "\(home)/limbeck_LabelText.bundle/Contents/Resources",
                ]
            } + [(#filePath as NSString).deletingLastPathComponent + "/Resources"]
        for place in places {
            let folder = place + "/tables"
            if FileManager.default.fileExists(atPath: folder) { return folder }
        }
        throw .noTables(program.bundleURL.path)
    }
}

extension LabelEmbeddings {
    /// Vectors that are part of the program, from the first table that has every class by name.
    ///
    /// - Throws: a `Problem` with the first class that is missing in the table that knows most.
    public static func table(classes: [String]) throws(Problem) -> LabelEmbeddings {
        var best: (count: Int, table: LabelTable)?
        for table in LabelTable.allCases {
            let rows = try table.rows()
            if rows.covers(classes) {
                return try rows.embeddings(
                    of: classes, source: "MiniLM table \(table.rawValue)")
            }
            let known = classes.count { rows.covers([$0]) }
            if known > best?.count ?? 0 { best = (known, table) }
        }
        guard let best else { throw .noTable(classes) }
        return try best.table.rows().embeddings(of: classes, source: "")
    }
}
