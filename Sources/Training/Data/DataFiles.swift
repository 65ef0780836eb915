import Datasets
import Diagnostics
import Synchronization

/// Reads data once, however many runs of a process use it, whatever their splits.
public final class DataFiles: Sendable {
    private let known = Mutex<[AnyDataSource: LoadedData]>([:])

    public init() {}

    public func load(_ source: any DataSource) throws(Problem) -> LoadedData {
        let key = AnyDataSource(wrappedValue: source)
        // Within the lock, so that runs that begin together read and hash each file once.
        return try known.withLock { (known) throws(Problem) in
            if let data = known[key] { return data }
            let data = try LoadedData(source)
            known[key] = data
            return data
        }
    }
}
