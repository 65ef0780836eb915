import Diagnostics
import Files

// Every sentence about a table of probabilities.

extension Problem {
    private static func shape(_ sizes: [Int]) -> String {
        "shape \(sizes.map(String.init).joined(separator: " x "))"
    }

    // MARK: Files

    static func notProbabilities(_ file: String, _ kind: FileKind?) -> Problem {
        let hint: String? =
            switch kind {
            case .npz: "load it in Python and np.save the one array"
            case .pyTorch, .pickle: "save the array with np.save(FILE, probabilities.numpy())"
            case .compressed(_, let tool): "unpack it first: \(tool)"
            case .lfsPointer: "fetch it with git lfs pull"
            default: nil
            }
        return Problem(
            .data, "not a table of probabilities", at: .file(file),
            found: kind?.description ?? "an unknown kind of file",
            expected: "a NumPy array (.npy), a safetensors file or a table of text (CSV)",
            hint: hint)
    }

    static func npyHeader(_ file: String, _ why: String) -> Problem {
        Problem(.data, "header of the NumPy array cannot be read: \(why)", at: .file(file))
    }

    static func npyVersion(_ file: String, _ version: Int) -> Problem {
        Problem(
            .data, "version of the NumPy format is not known", at: .file(file), found: "\(version)",
            expected: "1, 2 or 3")
    }

    static func npyType(_ file: String, _ type: String) -> Problem {
        Problem(
            .data, "numbers have the wrong type", at: .file(file), found: type,
            expected: "<f4 or <f8 (float32 or float64)",
            hint: "np.save(FILE, array.astype(\"float32\"))")
    }

    static func npyOrder(_ file: String) -> Problem {
        Problem(
            .data, "array is stored column by column", at: .file(file), found: "Fortran order",
            expected: "C order", hint: "np.save(FILE, np.ascontiguousarray(array))")
    }

    static func tableShape(_ file: String, _ place: [String], _ sizes: [Int]) -> Problem {
        Problem(
            .data, "not a table", at: Place(file: file, detail: place), found: shape(sizes),
            expected: "samples x classes",
            hint: sizes.count == 1
                ? "for two classes give both columns: np.stack([1 - p, p], 1)" : nil)
    }

    static func tableCutOff(_ file: String, _ sizes: [Int], found: Int) -> Problem {
        Problem(
            .data, "file ends before its numbers do", at: .file(file),
            found: "\(found) bytes of numbers", expected: "those of \(shape(sizes))",
            hint: "was it copied to the end?")
    }

    static func noTensor(_ file: String, _ name: String, among names: [String]) -> Problem {
        Problem(
            .data, "no such tensor", at: .file(file), found: "\"\(oneLine(name, limit: 80))\"",
            expected: "one of \(list(names))")
    }

    static func whichTensor(_ file: String, _ names: [String]) -> Problem {
        Problem(
            .data, "which tensor holds the probabilities cannot be told", at: .file(file),
            found: names.isEmpty
                ? "no tensor with two dimensions of F32 or F64" : list(names),
            expected: "one with two dimensions", hint: names.isEmpty ? nil : "name the tensor")
    }

    static func tensorType(_ file: String, _ name: String, _ type: String) -> Problem {
        Problem(
            .data, "numbers have the wrong type",
            at: .file(file, "tensor \"\(oneLine(name, limit: 80))\""), found: type,
            expected: "F32 or F64")
    }

    private static func list(_ names: [String]) -> String {
        let first = names.prefix(5).map { "\"\(oneLine($0, limit: 40))\"" }
        return first.joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    }

    // MARK: Rows

    static func probability(
        _ file: String?, _ row: Int, _ k: Int, _ value: Double, hint: String?
    ) -> Problem {
        Problem(
            .data, "not a probability",
            at: Place(file: file, detail: ["row \(row)", "class \(k)"]), found: "\(value)",
            expected: "a number from 0 to 1", hint: hint)
    }

    static func probabilitySum(
        _ file: String?, _ row: Int, _ sum: Double, classes: Int
    ) -> Problem {
        Problem(
            .data, "probabilities do not sum to 1", at: Place(file: file, detail: ["row \(row)"]),
            found: "\(Float(sum))", expected: "1 over \(classes) classes",
            hint: "a sample may be of one class only")
    }

    static func labelCount(_ file: String?, _ labels: Int, rows: Int) -> Problem {
        Problem(
            .data, "labels and rows of probabilities do not fit", at: file.map { .file($0) },
            found: "\(labels) labels", expected: "\(rows), one for each row")
    }

    static func labelOutOfRange(row: Int, _ label: Int, classes: Int) -> Problem {
        Problem(
            .data, "label is no class", at: Place(detail: ["row \(row)"]), found: "\(label)",
            expected: "0 to \(classes - 1)")
    }

    static func tooManyRows(_ file: String?, _ rows: Int) -> Problem {
        Problem(
            .data, "too many rows", at: file.map { .file($0) }, found: "\(rows)",
            expected: "at most \(Int32.max)")
    }

    static func noRows(_ file: String?) -> Problem {
        Problem(
            .data, "nothing to audit", at: file.map { .file($0) }, found: "no row",
            expected: "probabilities of at least one sample")
    }
}
