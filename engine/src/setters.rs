//! The methods of requests that set one field each.

/// Writes methods that take a request and give it back with the field of their name set: `limit(usize)` to what is given,
/// `using(into String)` to what becomes of it, `filter(some Filter)` and `offset(some into PointId)` to `Some` of the same.
macro_rules! setters {
    () => {};
    ($(#[$about:meta])* $field:ident(some into $type:ty); $($rest:tt)*) => {
        $(#[$about])*
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$type>) -> Self {
            self.$field = Some($field.into());
            self
        }
        $crate::setters::setters! { $($rest)* }
    };
    ($(#[$about:meta])* $field:ident(some $type:ty); $($rest:tt)*) => {
        $(#[$about])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = Some($field);
            self
        }
        $crate::setters::setters! { $($rest)* }
    };
    ($(#[$about:meta])* $field:ident(into $type:ty); $($rest:tt)*) => {
        $(#[$about])*
        #[must_use]
        pub fn $field(mut self, $field: impl Into<$type>) -> Self {
            self.$field = $field.into();
            self
        }
        $crate::setters::setters! { $($rest)* }
    };
    ($(#[$about:meta])* $field:ident($type:ty); $($rest:tt)*) => {
        $(#[$about])*
        #[must_use]
        pub fn $field(mut self, $field: $type) -> Self {
            self.$field = $field;
            self
        }
        $crate::setters::setters! { $($rest)* }
    };
}

pub(crate) use setters;
