import Datasets
import Diagnostics
import Neural
import Yams

extension Recipe {
    /// The recipe, once its values are seen to be in their ranges: what reading it from a file would check.
    ///
    /// - Parameter place: what messages call it.
    /// - Throws: for the first value that is not.
    public func checked(as place: String = "the recipe") throws -> Recipe {
        func check<Part: Codable>(_ key: String, _ part: Part) throws {
            _ = try StrictDecoder(file: place, prefix: [key]).decode(
                Part.self, from: try NodeEncoder.node(of: part))
        }
        try check("noise", noise)
        try check("model", model)
        try check("optimizer", optimizer)
        try check("schedule", schedule)
        try check("training", training)
        try check("later", later)
        if let relation { try check("relation", relation) }
        if !(method.base is OwnMethod) { try check("method", method.base) }
        do {
            try data.check()
            try validate()
        } catch {
            var problem = error
            if problem.place?.file == nil {
                problem.place = .init(file: place, detail: problem.place?.detail ?? [])
            }
            throw problem
        }
        return self
    }
}
