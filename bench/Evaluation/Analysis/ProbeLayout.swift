import Tasks

/// Where the quantities of a task lie among the values that it tells and among the columns that a linear map is fitted to.
struct ProbeLayout {
    struct Place {
        let quantity: ProbeQuantity
        /// First of its values, and of its columns.
        let value: Int
        let column: Int
    }

    /// Most columns of a quantity that is asked for: a linear map of them is fitted in a moment.
    private static let mostColumns = 1024

    /// Of the quantities that are asked for.
    private(set) var places: [Place] = []
    /// Numbers of all values, those of quantities that are not asked for too.
    private(set) var valueCount = 0
    private(set) var columnCount = 0

    /// - Parameter leftOut: is told which quantity has too many numbers.
    init(_ quantities: [ProbeQuantity], leftOut: (String) -> Void) {
        for quantity in quantities {
            if quantity.columnCount <= Self.mostColumns {
                places.append(Place(quantity: quantity, value: valueCount, column: columnCount))
                columnCount += quantity.columnCount
            } else {
                leftOut("\(quantity.meaning): \(quantity.columnCount) numbers are too many to be read")
            }
            valueCount += quantity.valueCount
        }
    }
}
